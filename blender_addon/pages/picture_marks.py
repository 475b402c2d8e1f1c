"""Rectangles over a picture on a page, such as the boxes of a detector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .page import FlatPage

LINE = 0.3
"""Width of a rectangle's rim, mm."""
MOST = 100
"""Rectangles of a picture."""


@dataclass(frozen=True)
class PictureMark:
    """A rectangle over a picture."""

    corners: tuple[float, float, float, float]
    """Left, top, right and bottom, as shares of the picture."""


def add_marks(page: FlatPage, marks: Iterable[PictureMark], area: tuple[float, float, float, float]) -> None:
    """Adds rims inside rectangles over a picture; area: its left, top, width and height, mm."""
    x, y, width, height = area
    for _, mark in zip(range(MOST), marks, strict=False):
        left, top, right, bottom = mark.corners
        inner = (right - left) * width - 2 * LINE, (bottom - top) * height - 2 * LINE
        if min(inner) > 0:
            page.frame(x + left * width + LINE, y + top * height + LINE, *inner, "skip", LINE)
