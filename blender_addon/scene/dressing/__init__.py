"""Boards, legends, sky and the overlay of the input, where they depend on what a scene shows."""

from .board_updates import update_answers, update_inputs
from .input_overlay import covers_input, overlay_channel, remove_overlay, restore_overlay, show_overlay, update_overlay
from .scene_scale import read_colour_scale
from .sky import set_sky

__all__ = [
    "covers_input",
    "overlay_channel",
    "read_colour_scale",
    "remove_overlay",
    "restore_overlay",
    "set_sky",
    "show_overlay",
    "update_answers",
    "update_inputs",
    "update_overlay",
]
