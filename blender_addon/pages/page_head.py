"""The head of a flat page: title and counts on the left, the legend of colours and the key of edges on the right."""

from __future__ import annotations

import numpy as np

from ..imaging.colour_maps import COLOUR_MAPS
from ..plans.legend import ColourScale
from ..plans.title_board import TitleFacts
from .font import begun, printable, text_length
from .page import POINT, FlatPage
from .page_style import PageStyle

STEPS = 256
"""Colours of a legend's bar."""


def head_height(style: PageStyle) -> float:
    """Returns the height of a page's title and legend, mm."""
    return style.margin + 3.8 * style.line_height + 1.2


def add_head(page: FlatPage, style: PageStyle, facts: TitleFacts, scale: ColourScale, kinds: list[str]) -> None:
    """Adds title and counts on the left, the legend of colours and the key of edges on the right."""
    line, size = style.line_height, style.words
    right = page.width - style.margin
    legend = min(0.36 * page.width, 48.0)
    left = right - legend
    room = left - style.margin - 2.0
    title = size * 1.5
    y = style.margin + 1.25 * line
    page.text(begun(printable(facts.name), room / (title * POINT)), style.margin, y, title)
    counts = page.text(begun(printable(facts.counts), style.room(room)), style.margin, y + 1.2 * line, size, "quiet")
    note, caption = facts.note, printable(facts.caption)
    if counts.width + 1.0 + style.length(text_length(note)) <= room:
        page.text(note, style.margin + counts.width + 1.0, y + 1.2 * line, size, "skip")
    else:
        caption = "; ".join(filter(None, (note, caption)))
    if caption:
        page.text(begun(caption, style.room(room)), style.margin, y + 2.2 * line, size, "skip")
    _add_scale(page, style, left, legend, scale)
    x = left
    for kind in kinds:
        page.box(x, style.margin + 3.45 * line, 2.4, 0.3, kind)
        x += 3.0 + page.text(kind, x + 3.0, style.margin + 3.7 * line, size, "quiet").width + 2.0


def _add_scale(page: FlatPage, style: PageStyle, x: float, width: float, scale: ColourScale) -> None:
    """Adds the bar of colours with its end values below it, and what they are divided by."""
    line, size = style.line_height, style.words
    colours = COLOUR_MAPS[scale.colour_map].colours((np.arange(STEPS) + 0.5) / STEPS)
    page.picture(x, style.margin, width, 0.8 * line, np.rint(255 * colours).astype(np.uint8)[None])
    page.frame(x, style.margin, width, 0.8 * line, "frame", 0.05)
    y = style.margin + 1.75 * line
    page.text(scale.low, x, y, size, "quiet")
    page.text(scale.high, x + width, y, size, "quiet", align="right")
    if COLOUR_MAPS[scale.colour_map].diverging:
        page.text("0", x + width / 2, y, size, "quiet", align="centre")
    page.text(scale.note, x, style.margin + 2.7 * line, size, "quiet")
