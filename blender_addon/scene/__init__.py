"""The hall in Blender."""
