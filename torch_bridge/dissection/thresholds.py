"""Thresholds of units: the value that a unit exceeds at a share of all positions, from counts that can be merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MANTISSA_BITS = 8
"""Bits of a float's mantissa that distinguish buckets: 256 buckets an octave, .4 % of the value."""
MIN_EXPONENT, OCTAVES = -16, 32
FIRST = (127 + MIN_EXPONENT) << MANTISSA_BITS
BUCKETS = (OCTAVES << MANTISSA_BITS) + 1
"""Number of buckets. The first one is for 0 and negative values; values beyond 2**16 are counted in the last one."""


@dataclass(frozen=True)
class ValueCounts:
    """How many values of each of U units fall into each bucket."""

    counts: np.ndarray
    """(U, BUCKETS) int64."""

    @classmethod
    def of(cls, values: np.ndarray) -> ValueCounts:
        """Counts values (U, n) float32; NaN counts as 0."""
        counts = np.zeros((len(values), BUCKETS), np.int64)
        rows, columns = np.nonzero(values > 0)
        bits = np.ascontiguousarray(values[rows, columns], np.float32).view(np.int32)
        buckets = np.clip((bits >> (23 - MANTISSA_BITS)) - FIRST + 1, 1, BUCKETS - 1)
        np.add.at(counts, (rows, buckets), 1)
        counts[:, 0] = values.shape[1] - counts.sum(1)
        return cls(counts)

    def merged(self, other: ValueCounts) -> ValueCounts:
        """Returns the counts of the values of both."""
        return ValueCounts(self.counts + other.counts)

    def exceeded_in(self, share: float) -> np.ndarray:
        """Returns (U,) float32 thresholds, at least 0, that a share 0..1 of a unit's values exceeds.

        The bucket's values are taken to be spread evenly; the result is exact to .4 %.
        """
        above = np.cumsum(self.counts[:, ::-1], 1)[:, ::-1]  # values in this bucket and all higher ones
        wanted = share * above[:, :1]
        bucket = np.maximum((above >= wanted).sum(1) - 1, 0)
        inside = np.take_along_axis(self.counts, bucket[:, None], 1)[:, 0]
        left = np.take_along_axis(above, bucket[:, None], 1)[:, 0] - wanted[:, 0]
        low, high = _edges(bucket), _edges(bucket + 1)
        found = low + (high - low) * np.clip(left / np.maximum(inside, 1), 0, 1)
        return np.where(bucket == 0, 0.0, found).astype(np.float32)


def _edges(buckets: np.ndarray) -> np.ndarray:
    """Returns where buckets begin, float64."""
    steps = buckets - 1
    mantissa = 1 + (steps % (1 << MANTISSA_BITS)) / (1 << MANTISSA_BITS)
    return np.where(buckets == 0, 0.0, mantissa * 2.0 ** (MIN_EXPONENT + (steps >> MANTISSA_BITS)))
