"""Long text on small boards: broken into lines, or shortened in the middle, where a dotted path says least."""

from __future__ import annotations

import numpy as np

from ...layout.text_fitting import Font
from ...scene.paint import glyphs

ELLIPSIS = "..."
"""Stands for what is left out; the fonts' own ellipsis is at half height."""


def shortened(text: str, room: float, size: float, family: Font = "sans") -> str:
    """Returns a line of text, with a part of its middle left out if it is wider than `room` metres."""
    ends = _ends(text, size, family)
    if ends[-1] <= room:
        return text
    left = room - glyphs.measure(ELLIPSIS, family) * size
    for kept in range(len(text) - 1, 0, -1):
        head, tail = kept // 2, len(text) - (kept - kept // 2)
        if ends[head] + ends[-1] - ends[tail] <= left:
            return text[:head].rstrip() + ELLIPSIS + text[tail:].lstrip()
    return ELLIPSIS


def wrapped(text: str, room: float, size: float, max_lines: int, family: Font = "sans") -> list[str]:
    """Returns up to `max_lines` lines of at most `room` metres, broken at spaces if possible; the last is shortened."""
    text = text.strip()
    lines: list[str] = []
    while len(lines) < max_lines - 1 and (count := _fitting_count(text, room, size, family)) < len(text):
        space = text.rfind(" ", 1, count + 1)
        end = space if space > 0 else max(count, 1)
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*lines, shortened(text, room, size, family)]


def fits(text: str, room: float, size: float, family: Font = "sans") -> bool:
    """Returns whether a line of text is at most `room` metres wide."""
    return glyphs.measure(text, family) * size <= room


def _fitting_count(text: str, room: float, size: float, family: Font) -> int:
    """Returns the number of leading characters that fit."""
    return int(np.searchsorted(_ends(text, size, family)[1:], room, side="right"))


def _ends(text: str, size: float, family: Font) -> np.ndarray:
    """Returns the start of each character and the end of the last, (N + 1,) metres."""
    return np.cumsum([0.0, *(glyphs.glyph(character, family).width * size for character in text)])
