"""Histograms of positive values by channel that are fine where high quantiles lie, and coarse below.

Values in a channel's KEPT highest octaves are counted in fine buckets, all others in coarse ones. The highest octaves
only rise while values come, and the fine buckets below them are added up to coarse ones: the result is the same in any
order, and in the highest octaves it is that of a histogram with fine buckets everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .histogram import COARSE, FINE, OCTAVES, bucket_count, bucket_edges, find_buckets

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
    """(C, bucket_count(COARSE)) int32 or int64: counts of values below the highest octaves."""
    fine: np.ndarray
    """(C, SLOTS) int32 or int64: counts of those in them; bucket k > 0 is at (k - 1) mod SLOTS."""
    top: np.ndarray
    """(C,) int32: the highest octave with a value, at least KEPT - 1; octave 0 begins with bucket 1."""

    def __post_init__(self) -> None:
        """Raises ValueError for arrays that no values give."""
        if any(own.dtype.kind != "i" for own in vars(self).values()):
            raise ValueError("counts and octaves are whole numbers")
        if self.top.size and not KEPT - 1 <= self.top.min() <= self.top.max() < OCTAVES:
            raise ValueError(f"octaves are {KEPT - 1} to {OCTAVES - 1}")

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
        is_high = buckets > (self.top[:, None] + 1 - KEPT) << FINE
        width = self.coarse.shape[1]
        places = np.where(is_high, ((buckets - 1) & (SLOTS - 1)) + width, (buckets + (1 << FINER) - 1) >> FINER)
        rows = np.arange(len(buckets))[:, None] * (width + SLOTS)
        counts = np.bincount((rows + places).ravel(), minlength=len(buckets) * (width + SLOTS)).reshape(
            len(buckets), -1
        )
        self._count(counts[:, :width], counts[:, width:])

    def merge(self, other: TailHistogram) -> None:
        """Adds the values of another histogram to this one."""
        own = TailHistogram(other.coarse.astype(np.int64), other.fine.astype(np.int64), other.top)
        own._raise_to(self.top)
        self._raise_to(other.top)
        self._count(own.coarse, own.fine)

    def _count(self, coarse: np.ndarray, fine: np.ndarray) -> None:
        if self.coarse.dtype == np.int32 and sum(int(own[0].sum()) for own in (*self._tables, coarse, fine)) >= MOST:
            self.coarse, self.fine = (own.astype(np.int64) for own in self._tables)
        np.add(self.coarse, coarse, out=self.coarse, casting="unsafe")
        np.add(self.fine, fine, out=self.fine, casting="unsafe")

    @property
    def _tables(self) -> tuple[np.ndarray, np.ndarray]:
        return self.coarse, self.fine

    def _raise_to(self, octaves: np.ndarray) -> None:
        """Adds up the fine buckets of the lowest octaves where higher ones (C,) have values."""
        octaves = np.maximum(self.top, octaves).astype(np.int32)
        by_octave = self.fine.reshape(len(self.fine), KEPT, -1)
        for up in range(KEPT):
            rows = np.flatnonzero(self.top + up < octaves)
            lowest = self.top[rows] + 1 - KEPT + up
            sums = by_octave[rows, lowest % KEPT].reshape(-1, 1 << COARSE, 1 << FINER).sum(2)
            self.coarse[rows[:, None], 1 + (lowest[:, None] << COARSE) + np.arange(1 << COARSE)] += sums
            by_octave[rows, lowest % KEPT] = 0
        self.top = octaves

    def quantile(self, share: float) -> np.ndarray:
        """Returns (C,) float32: the value that a share 0..1 of a channel's values doesn't exceed; at least 0.

        Values are taken to be spread evenly in their bucket, which is .4 % of the value wide, or 9 % below the highest
        octaves.
        """
        first = (self.top[:, None] + 1 - KEPT) << FINE
        fine = np.take_along_axis(self.fine, (first + np.arange(SLOTS)) & (SLOTS - 1), 1)
        counts = np.concatenate(
            [self.coarse, fine], 1
        )  # from low to high, since above the lowest octave coarse ones are 0
        cumulative = np.cumsum(counts, 1, dtype=np.int64)
        wanted = share * cumulative[:, -1:]
        place = (cumulative < wanted).sum(1)[:, None]
        inside = np.take_along_axis(counts, place, 1)
        part = (wanted - np.take_along_axis(cumulative, place, 1) + inside) / np.maximum(inside, 1)
        width = self.coarse.shape[1]
        coarse = _point(np.minimum(place, width - 1), part, COARSE)
        high = _point(first + 1 + np.maximum(place - width, 0), part, FINE)
        return np.where(place == 0, 0.0, np.where(place < width, coarse, high))[:, 0].astype(np.float32)


def _point(bucket: np.ndarray, part: np.ndarray, bits: int) -> np.ndarray:
    """Returns the value, float64, at a share 0..1 of a bucket's width."""
    edges = bucket_edges(bits)
    return edges[bucket] + part * (edges[bucket + 1] - edges[bucket])
