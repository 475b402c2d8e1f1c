"""The preset plate: its graph, its layout in lines with routed edges, and its drawing. Pure numpy, no bpy."""

__all__ = ["layout", "plate_page"]
