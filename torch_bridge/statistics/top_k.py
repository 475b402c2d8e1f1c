"""The pictures that each channel answers most to, whatever order they come in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NO_PICTURE = -1


@dataclass(frozen=True)
class TopK:
    """C channels, their n best pictures in order: by value, of equal values the lower picture number first."""

    values: np.ndarray
    """(C, n) float32; -inf where there is no picture."""
    pictures: np.ndarray
    """(C, n) int64: numbers of pictures, NONE where there is none."""
    places: np.ndarray
    """(C, n, 2) int32: row and column of the strongest place."""

    @classmethod
    def none(cls, channels: int, kept: int) -> TopK:
        """Before the first picture."""
        shape = (channels, kept)
        empty = np.full(shape, -np.inf, np.float32), np.full(shape, NO_PICTURE, np.int64)
        return cls(*empty, np.zeros((*shape, 2), np.int32))

    @classmethod
    def of(cls, values: np.ndarray, pictures: np.ndarray, places: np.ndarray) -> TopK:
        """Of N pictures, in their own order: values (C, N), pictures (N,), places (C, N, 2). NaN is no answer."""
        known = ~np.isnan(values)
        numbers = np.where(known, pictures[None].astype(np.int64), NO_PICTURE)
        return cls(np.where(known, values, -np.inf).astype(np.float32), numbers, places.astype(np.int32))

    def merged(self, other: TopK) -> TopK:
        """As many as this has, out of both; no picture may be in both."""
        return self.ranked(other)[0]

    def ranked(self, other: TopK) -> tuple[TopK, np.ndarray]:
        """The same, and (C, n) where each came from: a column of this, or of `other` counted on behind it."""
        values, pictures, places = (
            np.concatenate([getattr(self, name), getattr(other, name)], 1) for name in ("values", "pictures", "places")
        )
        last = np.where(pictures == NO_PICTURE, np.iinfo(np.int64).max, pictures)
        order = np.lexsort((last, -values), axis=1)[:, : self.values.shape[1]]
        rows = np.arange(len(order))[:, None]
        return TopK(values[rows, order], pictures[rows, order], places[rows, order]), order
