"""Texts of several lines in the sidebar."""

from __future__ import annotations

import textwrap
from typing import Any

import blf
import bpy

MARGIN = 80
"""Pixels of a region, at scale 1, that a text in a box can't have: margins, icon, the tabs."""
POINTS = 11
"""Size of the interface's letters at scale 1."""
SAMPLE = "the bridge has ended: killed by SIGKILL /home"
"""What a text is like: its letters are as wide as most."""


def draw_lines(layout: Any, text: str, icon: str = "NONE") -> None:
    """A text on as many lines as it needs in the region that is drawn."""
    column = layout.column(align=True)
    for k, line in enumerate(textwrap.wrap(text, _letters())):
        column.label(text=line, icon=icon if k == 0 or icon == "NONE" else "BLANK1")


def _letters() -> int:
    """How many letters a line holds."""
    region, scale = bpy.context.region, bpy.context.preferences.system.ui_scale
    blf.size(0, POINTS * scale)
    wide = blf.dimensions(0, SAMPLE)[0] / len(SAMPLE)
    return max(16, int(((region.width if region else 300) - MARGIN * scale) / wide)) if wide else 40
