"""Histograms of positive values by channel that are fine where high quantiles lie, and coarse below.

All values are counted in coarse buckets, those of a channel's KEPT highest octaves in fine ones too. These octaves only
rise while values come, so that whatever is in them at the end has been counted there from the beginning: the result is
the same in any order, and in the highest octaves it is that of a histogram with fine buckets everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .histogram import COARSE, FINE, bucket_count, bucket_edges, find_buckets

KEPT = 4
"""Octaves with fine buckets, a power of two: values from a sixteenth to an eighth of the largest on."""
SLOTS = KEPT << FINE
"""Fine buckets of a channel."""
FINER = FINE - COARSE
"""The logarithm of the number of fine buckets in a coarse one."""
MOST = 1 << 31
"""Values of a channel from which on counts need 64 bits."""


@dataclass
class TailHistogram:
    """One histogram for each of C channels, to which values are added."""

    coarse: np.ndarray
    """(C, bucket_count(COARSE)) int32 or int64: counts of all values."""
    fine: np.ndarray
    """(C, SLOTS) int32 or int64: those of the highest octaves; bucket k > 0 is at (k - 1) mod SLOTS."""
    top: np.ndarray
    """(C,) int32: the highest octave with a value, at least KEPT - 1; octave 0 begins with bucket 1."""

    @classmethod
    def empty(cls, channels: int) -> TailHistogram:
        """Returns the histogram of no values."""
        sizes = (channels, bucket_count(COARSE)), (channels, SLOTS)
        coarse, fine = (np.zeros(size, np.int32) for size in sizes)
        return cls(coarse, fine, np.full(channels, KEPT - 1, np.int32))

    def add(self, values: np.ndarray) -> None:
        """Counts values (C, n) float32; NaN counts as 0."""
        if not values.size:
            return
        buckets = find_buckets(values, FINE)
        self._raise_to((buckets.max(1) - 1) >> FINE)
        rows = np.arange(len(buckets))[:, None]
        coarse = rows * self.coarse.shape[1] + ((buckets + (1 << FINER) - 1) >> FINER)
        fine = rows * SLOTS + ((buckets - 1) & (SLOTS - 1))
        fine = fine[buckets > (self.top[:, None] + 1 - KEPT) << FINE]
        self._count(_counted(coarse.ravel(), self.coarse.shape), _counted(fine, self.fine.shape))

    def merge(self, other: TailHistogram) -> None:
        """Adds the values of another histogram to this one."""
        own = TailHistogram(other.coarse, other.fine.copy(), other.top)
        own._raise_to(self.top)
        self._raise_to(other.top)
        self._count(own.coarse, own.fine)

    def _count(self, coarse: np.ndarray, fine: np.ndarray) -> None:
        if self.coarse.dtype == np.int32 and int(self.coarse[0].sum()) + int(coarse[0].sum()) >= MOST:
            self.coarse, self.fine = self.coarse.astype(np.int64), self.fine.astype(np.int64)
        np.add(self.coarse, coarse, out=self.coarse, casting="unsafe")
        np.add(self.fine, fine, out=self.fine, casting="unsafe")

    def _raise_to(self, octaves: np.ndarray) -> None:
        """Gives up the lowest octaves where higher ones (C,) have values."""
        octaves = np.maximum(self.top, octaves).astype(np.int32)
        by_octave = self.fine.reshape(len(self.fine), KEPT, -1)
        for up in range(1, KEPT + 1):
            rows = np.flatnonzero(self.top + up <= octaves)
            by_octave[rows, (self.top[rows] + up) % KEPT] = 0
        self.top = octaves

    def quantile(self, share: float) -> np.ndarray:
        """Returns (C,) float32: the value that a share 0..1 of a channel's values doesn't exceed; at least 0.

        Values are taken to be spread evenly in their bucket, which is .4 % of the value wide, or 9 % below the highest
        octaves.
        """
        cumulative = np.cumsum(self.coarse, 1, dtype=np.int64)
        wanted = share * cumulative[:, -1:]
        bucket = (cumulative < wanted).sum(1)[:, None]
        inside = np.take_along_axis(self.coarse, bucket, 1)
        before = np.take_along_axis(cumulative, bucket, 1) - inside
        coarse = _interpolated(bucket, wanted - before, inside, COARSE)
        first = np.maximum(bucket - 1, 0) << FINER
        counts = np.take_along_axis(self.fine, (first + np.arange(1 << FINER)) & (SLOTS - 1), 1)
        cumulative = before + np.cumsum(counts, 1, dtype=np.int64)
        step = np.minimum((cumulative < wanted).sum(1)[:, None], counts.shape[1] - 1)
        inside = np.take_along_axis(counts, step, 1)
        before = np.take_along_axis(cumulative, step, 1) - inside
        fine = _interpolated(first + 1 + step, wanted - before, inside, FINE)
        is_fine = first >= (self.top[:, None] + 1 - KEPT) << FINE
        return np.where(bucket == 0, 0.0, np.where(is_fine, fine, coarse))[:, 0].astype(np.float32)


def _counted(places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape)


def _interpolated(bucket: np.ndarray, wanted: np.ndarray, inside: np.ndarray, bits: int) -> np.ndarray:
    """Returns float64 values: how far a bucket's `inside` values must be counted up to reach the wanted number."""
    edges = bucket_edges(bits)
    low, high = edges[bucket], edges[bucket + 1]
    return low + wanted / np.maximum(inside, 1) * (high - low)
