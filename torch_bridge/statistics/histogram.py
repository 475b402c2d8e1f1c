"""How often each channel is how strong, in buckets an eighth of an octave wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FINE = 3
"""Bits of a value's fraction that tell buckets apart: 8 an octave."""
LEAST, OCTAVES = -16, 32
"""From 2**-16 to 2**16; what lies beyond is in the buckets at the ends."""
FIRST = (127 + LEAST) << FINE
BUCKETS = (OCTAVES << FINE) + 1
"""The first one is for 0 and below."""


@dataclass(frozen=True)
class ChannelHistogram:
    """Counts of C channels."""

    counts: np.ndarray
    """(C, BUCKETS) int64."""

    @classmethod
    def of(cls, values: np.ndarray) -> ChannelHistogram:
        """Of (C, n) float32 values; NaN counts as 0."""
        bits = np.ascontiguousarray(np.where(values > 0, values, np.float32(0)), np.float32).view(np.int32)
        buckets = np.clip((bits >> (23 - FINE)) - FIRST + 1, 1, BUCKETS - 1)
        buckets[bits == 0] = 0
        rows = np.arange(len(values), dtype=np.int64)[:, None] * BUCKETS
        return cls(np.bincount((rows + buckets).ravel(), minlength=len(values) * BUCKETS).reshape(-1, BUCKETS))

    def merged(self, other: ChannelHistogram) -> ChannelHistogram:
        """Of the values of both."""
        return ChannelHistogram(self.counts + other.counts)

    def quantile(self, share: float) -> np.ndarray:
        """(C,) float32: what this share of a channel's values doesn't exceed, to half a bucket (4 %); 0 at least."""
        below = np.cumsum(self.counts, 1)
        wanted = share * below[:, -1:]
        bucket = (below < wanted).sum(1)
        inside = np.take_along_axis(self.counts, bucket[:, None], 1)[:, 0]
        before = np.take_along_axis(below, bucket[:, None], 1)[:, 0] - inside
        part = (wanted[:, 0] - before) / np.maximum(inside, 1)
        low, high = EDGES[bucket], EDGES[bucket + 1]
        return np.where(bucket == 0, 0.0, low + part * (high - low)).astype(np.float32)


def _edges() -> np.ndarray:
    """(BUCKETS + 1,) where buckets begin, and where the last one ends."""
    steps = np.arange(BUCKETS)
    return np.append(0.0, (1 + (steps % (1 << FINE)) / (1 << FINE)) * 2.0 ** (LEAST + steps // (1 << FINE)))


EDGES = _edges()
