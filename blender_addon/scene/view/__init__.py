"""Cameras, rendering, and what a 3D view shows."""

from .camera import point_camera, set_camera
from .render import render_png, set_render_settings
from .viewport import find_view_area, set_view, show_panel_colours, transform_view

__all__ = [
    "find_view_area",
    "point_camera",
    "render_png",
    "set_camera",
    "set_render_settings",
    "set_view",
    "show_panel_colours",
    "transform_view",
]
