"""Draws plans in Blender, as meshes with texts and pictures."""

from .glyphs import forget_fonts
from .meshes import add_plan, fill, paint_material, paint_over, repaint
from .pictures import add_picture, add_pictures, picture_image, picture_size, read_pixels, update_picture, write_pixels
from .styles import scene_style, theme_style

__all__ = [
    "add_picture",
    "add_pictures",
    "add_plan",
    "fill",
    "forget_fonts",
    "paint_material",
    "paint_over",
    "picture_image",
    "picture_size",
    "read_pixels",
    "repaint",
    "scene_style",
    "theme_style",
    "update_picture",
    "write_pixels",
]
