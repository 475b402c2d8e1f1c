"""Histograms of positive values by channel, in buckets that are a share of an octave wide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

COARSE, FINE = 3, 8
"""Bits of a float's mantissa that distinguish buckets: 8 or 256 buckets an octave, 9 % or .4 % of the value wide."""
MIN_EXPONENT, OCTAVES = -16, 32
"""Buckets cover 2**-16 to 2**16; values beyond are counted in the outermost ones."""


def bucket_count(bits: int) -> int:
    """Returns the number of buckets. The first one is for 0 and negative values."""
    return (OCTAVES << bits) + 1


def find_buckets(values: np.ndarray, bits: int) -> np.ndarray:
    """Returns the buckets, int32, of values of any shape; NaN counts as 0."""
    first = (127 + MIN_EXPONENT) << bits  # leading bits of the smallest float32 in the first bucket above 0
    buckets = np.ascontiguousarray(values, np.float32).view(np.int32) >> (23 - bits)
    buckets -= first - 1
    np.clip(buckets, 1, bucket_count(bits) - 1, out=buckets)
    buckets *= values > 0
    return buckets


@dataclass(frozen=True)
class ChannelHistogram:
    """One histogram for each of C channels."""

    counts: np.ndarray
    """(C, bucket_count(bits)) int64."""
    bits: int = COARSE

    @classmethod
    def of(cls, values: np.ndarray, bits: int = COARSE) -> ChannelHistogram:
        """Counts values (C, n) float32; NaN counts as 0."""
        count, buckets = bucket_count(bits), find_buckets(values, bits)
        rows = np.arange(len(values), dtype=np.int64)[:, None] * count
        counts = np.bincount((rows + buckets).ravel(), minlength=len(values) * count)
        return cls(counts.reshape(-1, count), bits)

    def merged(self, other: ChannelHistogram) -> ChannelHistogram:
        """Returns the histogram of the values of both, whose buckets are the same."""
        return ChannelHistogram(self.counts + other.counts, self.bits)

    def quantile(self, share: float) -> np.ndarray:
        """Returns (C,) float32: the value that a share 0..1 of a channel's values doesn't exceed; at least 0.

        Values are taken to be spread evenly in their bucket.
        """
        cumulative = np.cumsum(self.counts, 1)
        wanted = share * cumulative[:, -1:]
        bucket = (cumulative < wanted).sum(1)
        inside = np.take_along_axis(self.counts, bucket[:, None], 1)[:, 0]
        before = np.take_along_axis(cumulative, bucket[:, None], 1)[:, 0] - inside
        fraction = (wanted[:, 0] - before) / np.maximum(inside, 1)
        edges = bucket_edges(self.bits)
        low, high = edges[bucket], edges[bucket + 1]
        return np.where(bucket == 0, 0.0, low + fraction * (high - low)).astype(np.float32)


@lru_cache
def bucket_edges(bits: int) -> np.ndarray:
    """Returns (buckets + 1,) float64: where each bucket begins, and where the last one ends."""
    steps, per_octave = np.arange(bucket_count(bits)), 1 << bits
    return np.append(0.0, (1 + (steps % per_octave) / per_octave) * 2.0 ** (MIN_EXPONENT + steps // per_octave))
