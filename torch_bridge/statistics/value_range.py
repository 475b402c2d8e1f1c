"""The range of each channel's values, and how often they are positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ValueRange:
    """Counts and extremes of C channels."""

    pictures: int
    """Number of pictures."""
    value_count: int
    """Number of values of one channel, over all pictures."""
    positive: np.ndarray
    """(C,) int64: number of values above 0."""
    active_pictures: np.ndarray
    """(C,) int64: number of pictures with a value above 0."""
    low: np.ndarray
    """(C,) float32: smallest value."""
    high: np.ndarray
    """(C,) float32: largest value."""

    @classmethod
    def of(cls, low: np.ndarray, high: np.ndarray, positive: np.ndarray, values: int) -> ValueRange:
        """Summarises N pictures.

        low, high: (N, C) float32, smallest and largest value of each picture. positive: (N, C) int, its number of
        values above 0. values: number of values of a channel in one picture.
        """
        active = np.count_nonzero(high > 0, axis=0)
        return cls(len(low), len(low) * values, positive.sum(0, dtype=np.int64), active, low.min(0), high.max(0))

    def merged(self, other: ValueRange) -> ValueRange:
        """Returns the summary of the pictures of both."""
        return ValueRange(
            self.pictures + other.pictures,
            self.value_count + other.value_count,
            self.positive + other.positive,
            self.active_pictures + other.active_pictures,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )
