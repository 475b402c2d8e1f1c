"""Draws plans as Blender meshes, texts and pictures."""
