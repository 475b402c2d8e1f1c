"""Names that people give to units after looking at them: their files, and how far several people agree. No bpy here."""

__all__ = ["agreement", "categories", "unit_names"]
