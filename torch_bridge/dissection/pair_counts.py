"""Counts of pairs of a unit and a label; pairs that never meet take no memory, so that there may be many labels."""

from __future__ import annotations

import math

import numpy as np

PENDING = 1 << 16
"""Entries that may wait to be sorted in."""


class PairCounts:
    """A table of whole numbers of which most are 0."""

    def __init__(
        self, shape: tuple[int, int], keys: np.ndarray | None = None, counts: np.ndarray | None = None
    ) -> None:
        """shape: units and labels. keys, counts: (n,) int64, as `entries` returns them; None for a table of zeros.

        Raises ValueError for keys that are not in order or not in the table.
        """
        self.shape = shape
        keys, counts = (np.zeros(0, np.int64) if own is None else own.astype(np.int64) for own in (keys, counts))
        if keys.shape != counts.shape or keys.ndim != 1 or (np.diff(keys) <= 0).any():
            raise ValueError("keys that are not in order, or not as many as counts")
        if keys.size and not 0 <= keys[0] <= keys[-1] < math.prod(shape):
            raise ValueError("keys out of the table")
        self._keys, self._counts = keys, counts
        self._pending: list[tuple[np.ndarray, np.ndarray]] = []

    @classmethod
    def of(cls, table: np.ndarray, columns: np.ndarray, labels: int) -> PairCounts:
        """Returns the counts of a table (U, n) whose columns are the labels with these numbers, (n,) ascending."""
        rows, places = np.nonzero(table)
        return cls((len(table), labels), rows * labels + columns[places], table[rows, places])

    def add(self, other: PairCounts) -> None:
        """Adds the counts of another table of the same shape."""
        self._pending.append(other.entries())
        if sum(len(keys) for keys, _ in self._pending) > max(PENDING, len(self._keys)):
            self._sort_in()

    def entries(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns keys (n,) int64, unit times number of labels plus label, ascending, and counts (n,) int64 above 0."""
        if self._pending:
            self._sort_in()
        return self._keys, self._counts

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Returns the counts of some units with all labels, (stop - start, L) int64."""
        keys, counts = self.entries()
        first, last = np.searchsorted(keys, (start * self.shape[1], stop * self.shape[1]))
        table = np.zeros((stop - start) * self.shape[1], np.int64)
        table[keys[first:last] - start * self.shape[1]] = counts[first:last]
        return table.reshape(stop - start, -1)

    def _sort_in(self) -> None:
        parts = [(self._keys, self._counts), *self._pending]
        keys, counts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        self._keys = keys[starts]
        self._counts = np.add.reduceat(counts[order], starts) if len(starts) else counts
        self._pending = []
