"""Measures that all flat pages share: their margin, the size of words and the pixels of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from .page import MM_PER_INCH, POINT

SMALLEST = 5.0
"""Size of the smallest text, points."""


@dataclass(frozen=True)
class PageStyle:
    """Measures of a page, mm."""

    width: float
    dpi: int
    margin: float = 1.0
    """Free strip around the page's content."""

    @property
    def pixel(self) -> float:
        """Of the page's pictures."""
        return MM_PER_INCH / self.dpi

    @property
    def words(self) -> float:
        """Size of names and shapes, points."""
        return SMALLEST if self.width < 120 else 5.5

    @property
    def line_height(self) -> float:
        """Between two lines of text."""
        return 1.12 * self.words * POINT

    def room(self, width: float) -> float:
        """Returns how many sizes of text, as `font` measures them, so many millimetres are."""
        return width / (self.words * POINT)

    def length(self, sizes: float) -> float:
        """Returns how many millimetres so many sizes of text are."""
        return sizes * self.words * POINT
