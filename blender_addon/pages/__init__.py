"""Flat figures of a recording for print: their layout, and pages of rectangles, lines, text and pictures.

Pure numpy, no bpy.
"""

__all__ = ["figure", "page"]
