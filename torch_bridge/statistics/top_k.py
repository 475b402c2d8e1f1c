"""The pictures with each channel's highest scores, independent of the order in which pictures are added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NO_PICTURE = -1
"""Stands for a picture's number in an empty place."""


@dataclass(frozen=True)
class TopK:
    """The n best pictures of C channels, sorted by value; equal values by picture number, the lower one first."""

    values: np.ndarray
    """(C, n) float32; -inf in an empty place."""
    pictures: np.ndarray
    """(C, n) int64: numbers of pictures; NO_PICTURE in an empty place."""
    positions: np.ndarray
    """(C, n, 2) int32: row and column of the picture's strongest position."""

    @classmethod
    def empty(cls, channels: int, kept: int) -> TopK:
        """Returns `kept` empty places for each channel."""
        shape = (channels, kept)
        values, pictures = np.full(shape, -np.inf, np.float32), np.full(shape, NO_PICTURE, np.int64)
        return cls(values, pictures, np.zeros((*shape, 2), np.int32))

    @classmethod
    def of(cls, values: np.ndarray, pictures: np.ndarray, positions: np.ndarray) -> TopK:
        """Holds N pictures in the given order: values (C, N), pictures (N,), positions (C, N, 2).

        A picture whose value is NaN becomes an empty place.
        """
        valid = ~np.isnan(values)
        numbers = np.where(valid, pictures[None].astype(np.int64), NO_PICTURE)
        return cls(np.where(valid, values, -np.inf).astype(np.float32), numbers, positions.astype(np.int32))

    def merged(self, other: TopK) -> TopK:
        """Returns the best of both, as many as this one holds; no picture may be in both."""
        return self.merge_ranked(other)[0]

    def merge_ranked(self, other: TopK) -> tuple[TopK, np.ndarray]:
        """Merges, and returns also (C, n) int64: the columns that the best pictures come from.

        Columns of `other` are numbered after those of this one.
        """
        values, pictures, positions = (
            np.concatenate([getattr(self, name), getattr(other, name)], 1)
            for name in ("values", "pictures", "positions")
        )
        numbers = np.where(pictures == NO_PICTURE, np.iinfo(np.int64).max, pictures)
        order = np.lexsort((numbers, -values), axis=1)[:, : self.values.shape[1]]
        rows = np.arange(len(order))[:, None]
        return TopK(values[rows, order], pictures[rows, order], positions[rows, order]), order
