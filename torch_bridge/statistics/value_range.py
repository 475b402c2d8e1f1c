"""How far the values of each channel go, and how many of them are anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ValueRange:
    """Counts and ends of C channels."""

    pictures: int
    values: int
    """Of a channel, over all pictures."""
    above: np.ndarray
    """(C,) int64: values above 0."""
    fired: np.ndarray
    """(C,) int64: pictures with a value above 0."""
    low: np.ndarray
    high: np.ndarray
    """(C,) float32: the least and the largest value."""

    @classmethod
    def of(cls, low: np.ndarray, high: np.ndarray, above: np.ndarray, values: int) -> ValueRange:
        """Of N pictures: (N, C) each picture's least and largest value and its values above 0, of so many a picture."""
        fired = np.count_nonzero(high > 0, axis=0)
        return cls(len(low), len(low) * values, above.sum(0, dtype=np.int64), fired, low.min(0), high.max(0))

    def merged(self, other: ValueRange) -> ValueRange:
        """Of the pictures of both."""
        return ValueRange(
            self.pictures + other.pictures, self.values + other.values, self.above + other.above,
            self.fired + other.fired, np.minimum(self.low, other.low), np.maximum(self.high, other.high),
        )  # fmt: skip
