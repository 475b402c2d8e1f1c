"""Long words on small boards: broken into lines, or shortened in their middle, where a path says least."""

from __future__ import annotations

import numpy as np

from ...layout.text_fitting import Font
from ...scene.paint import glyphs

GAP = "..."
"""Stands for what is left out; the ellipsis of the fonts stands at half height."""


def shortened(body: str, room: float, size: float, family: Font = "sans") -> str:
    """The line, without a part of its middle where it would be longer than `room` metres."""
    ends = _ends(body, size, family)
    if ends[-1] <= room:
        return body
    left = room - glyphs.measure(GAP, family) * size
    for kept in range(len(body) - 1, 0, -1):
        head = kept // 2
        if ends[head] + ends[-1] - ends[len(body) - (kept - head)] <= left:
            return body[:head].rstrip() + GAP + body[len(body) - (kept - head) :].lstrip()
    return GAP


def wrapped(body: str, room: float, size: float, most: int, family: Font = "sans") -> list[str]:
    """In up to `most` lines no longer than `room` metres, broken at blanks where there are; the last is shortened."""
    body = body.strip()
    found: list[str] = []
    while len(found) < most - 1 and (there := _fitting(body, room, size, family)) < len(body):
        blank = body.rfind(" ", 1, there + 1)
        end = blank if blank > 0 else max(there, 1)
        found.append(body[:end].rstrip())
        body = body[end:].lstrip()
    return [*found, shortened(body, room, size, family)]


def fits(body: str, room: float, size: float, family: Font = "sans") -> bool:
    """Whether the line is no longer than `room` metres."""
    return glyphs.measure(body, family) * size <= room


def _fitting(body: str, room: float, size: float, family: Font) -> int:
    """How many first characters have room."""
    return int(np.searchsorted(_ends(body, size, family)[1:], room, side="right"))


def _ends(body: str, size: float, family: Font) -> np.ndarray:
    """(n + 1,) where each character starts, and where the last one ends, metres."""
    return np.cumsum([0.0, *(glyphs.glyph(one, family).width * size for one in body)])
