"""Histograms of positive values by channel, in buckets an eighth of an octave wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MANTISSA_BITS = 3
"""Bits of a float's mantissa that distinguish buckets: 8 buckets an octave."""
MIN_EXPONENT, OCTAVES = -16, 32
"""Buckets cover 2**-16 to 2**16; values beyond are counted in the outermost ones."""
FIRST = (127 + MIN_EXPONENT) << MANTISSA_BITS
"""Leading bits of the smallest float32 in the first bucket above 0."""
BUCKETS = (OCTAVES << MANTISSA_BITS) + 1
"""Number of buckets. The first one is for 0 and negative values."""


@dataclass(frozen=True)
class ChannelHistogram:
    """One histogram for each of C channels."""

    counts: np.ndarray
    """(C, BUCKETS) int64."""

    @classmethod
    def of(cls, values: np.ndarray) -> ChannelHistogram:
        """Counts values (C, n) float32; NaN counts as 0."""
        bits = np.ascontiguousarray(np.where(values > 0, values, np.float32(0)), np.float32).view(np.int32)
        buckets = np.clip((bits >> (23 - MANTISSA_BITS)) - FIRST + 1, 1, BUCKETS - 1)
        buckets[bits == 0] = 0
        rows = np.arange(len(values), dtype=np.int64)[:, None] * BUCKETS
        return cls(np.bincount((rows + buckets).ravel(), minlength=len(values) * BUCKETS).reshape(-1, BUCKETS))

    def merged(self, other: ChannelHistogram) -> ChannelHistogram:
        """Returns the histogram of the values of both."""
        return ChannelHistogram(self.counts + other.counts)

    def quantile(self, share: float) -> np.ndarray:
        """Returns (C,) float32: the value that a share 0..1 of a channel's values doesn't exceed; at least 0.

        Exact to half a bucket, which is 4 % of the value.
        """
        cumulative = np.cumsum(self.counts, 1)
        wanted = share * cumulative[:, -1:]
        bucket = (cumulative < wanted).sum(1)
        inside = np.take_along_axis(self.counts, bucket[:, None], 1)[:, 0]
        before = np.take_along_axis(cumulative, bucket[:, None], 1)[:, 0] - inside
        fraction = (wanted[:, 0] - before) / np.maximum(inside, 1)
        low, high = EDGES[bucket], EDGES[bucket + 1]
        return np.where(bucket == 0, 0.0, low + fraction * (high - low)).astype(np.float32)


def _bucket_edges() -> np.ndarray:
    """Returns (BUCKETS + 1,) float64: where each bucket begins, and where the last one ends."""
    steps, per_octave = np.arange(BUCKETS), 1 << MANTISSA_BITS
    return np.append(0.0, (1 + (steps % per_octave) / per_octave) * 2.0 ** (MIN_EXPONENT + steps // per_octave))


EDGES = _bucket_edges()
"""(BUCKETS + 1,) float64: the values between which each bucket counts."""
