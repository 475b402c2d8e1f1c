"""Texts of several lines in the sidebar."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

import blf
import bpy

from .translating import CONTEXT, translated

MARGIN = 98
"""Pixels of a region, at scale 1, that margins, icon and tabs take from a text in a box."""
FONT_SIZE = 11
"""Size of the interface's letters in points, at scale 1."""
SAMPLE = "the bridge has ended: killed by SIGKILL /home"
"""A text whose average width of a letter stands for all texts."""


def draw_lines(layout: Any, text: str, icon: str = "NONE") -> None:
    """Draws a text in Blender's language, wrapped to the width of the region."""
    column = layout.column(align=True)
    words = bpy.app.translations.pgettext_iface(text, CONTEXT)
    for index, line in enumerate(textwrap.wrap(words, _letters_per_line())):
        column.label(text=line, translate=False, icon=icon if index == 0 or icon == "NONE" else "BLANK1")


def draw_fact_lines(layout: Any, facts: Iterable[tuple[str, str]]) -> None:
    """Draws a line of name and value for each fact."""
    column = layout.column(align=True)
    for name, value in facts:
        line = column.split(factor=0.4)
        left = line.row()
        left.label(text=translated(name), translate=False)
        line.label(text=value, translate=False)


def _letters_per_line() -> int:
    region, scale = bpy.context.region, bpy.context.preferences.system.ui_scale
    blf.size(0, FONT_SIZE * scale)
    letter_width = blf.dimensions(0, SAMPLE)[0] / len(SAMPLE)
    if not letter_width:
        return 40
    return max(16, int(((region.width if region else 300) - MARGIN * scale) / letter_width))
