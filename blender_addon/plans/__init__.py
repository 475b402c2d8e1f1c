"""Plans of a hall's parts: coloured faces, texts and pictures in metres and linear RGB, which any painter can draw.

Pure numpy, no bpy.
"""

from .layer_card import plan_layer_card
from .number_text import format_count, format_number, format_percent
from .panel_frames import panel_plane, plan_panel_frame
from .primitives import FLAT, Faces, Picture, Plan, Plane, Style, TextRun, ground, wall
from .surroundings import plan_surroundings

__all__ = [
    "FLAT",
    "Faces",
    "Picture",
    "Plan",
    "Plane",
    "Style",
    "TextRun",
    "format_count",
    "format_number",
    "format_percent",
    "ground",
    "panel_plane",
    "plan_layer_card",
    "plan_panel_frame",
    "plan_surroundings",
    "wall",
]
