"""The part of a board that a content is drawn into."""

from __future__ import annotations

from typing import NamedTuple


class Area(NamedTuple):
    """A rectangle of a board, metres."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """The upper edge."""
        return self.bottom + self.height

    def middle_strip(self, height: float) -> Area:
        """Returns the part of this height, at most the whole, in the middle."""
        height = min(height, self.height)
        return Area(self.left, self.bottom + (self.height - height) / 2, self.width, height)

    def row(self, number: int, count: int, gap: float = 0.0) -> Area:
        """Returns row `number`, counted from 0 at the top, of `count` equally high rows with `gap` metres between."""
        height = (self.height - gap * (count - 1)) / count
        return Area(self.left, self.top - (number + 1) * height - number * gap, self.width, height)
