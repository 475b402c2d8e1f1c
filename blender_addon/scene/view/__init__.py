"""Cameras, rendering, and what a 3D view shows."""

from .camera import set_camera
from .render import render_png, set_render_settings
from .view_shading import restore_shading, set_shading
from .viewport import find_view_area, set_view, show_panel_colours, transform_view

__all__ = [
    "find_view_area",
    "render_png",
    "restore_shading",
    "set_camera",
    "set_render_settings",
    "set_shading",
    "set_view",
    "show_panel_colours",
    "transform_view",
]
