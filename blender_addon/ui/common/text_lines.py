"""Texts of several lines in the sidebar."""

from __future__ import annotations

import textwrap
from typing import Any

import blf
import bpy

MARGIN = 98
"""Pixels of a region, at scale 1, that margins, icon and tabs take from a text in a box."""
FONT_SIZE = 11
"""Size of the interface's letters in points, at scale 1."""
SAMPLE = "the bridge has ended: killed by SIGKILL /home"
"""A text whose average width of a letter stands for all texts."""


def draw_lines(layout: Any, text: str, icon: str = "NONE") -> None:
    """Draws a text, wrapped to the width of the region."""
    column = layout.column(align=True)
    for index, line in enumerate(textwrap.wrap(text, _letters_per_line())):
        column.label(text=line, icon=icon if index == 0 or icon == "NONE" else "BLANK1")


def _letters_per_line() -> int:
    region, scale = bpy.context.region, bpy.context.preferences.system.ui_scale
    blf.size(0, FONT_SIZE * scale)
    letter_width = blf.dimensions(0, SAMPLE)[0] / len(SAMPLE)
    if not letter_width:
        return 40
    return max(16, int(((region.width if region else 300) - MARGIN * scale) / letter_width))
