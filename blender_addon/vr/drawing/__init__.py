"""Draws what a walk shows, with Blender's gpu module."""
