"""Halls as Blender data: everything that uses bpy to build, show and change them; nothing here uses torch."""

__all__: list[str] = []
