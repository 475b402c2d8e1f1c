"""Boxes around the brightest part of a map, and their overlap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..inputs.preprocess import Preprocessing


class Box(NamedTuple):
    """A box by its corners, as shares 0..1 of an image's width and height, from the upper left."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        """Area as a share of the image."""
        return max(self.x1 - self.x0, 0.0) * max(self.y1 - self.y0, 0.0)

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies in the box."""
        return self.x0 <= x < self.x1 and self.y0 <= y < self.y1

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        shared = Box(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))
        return shared.area / max(self.area + other.area - shared.area, 1e-12)


def find_box(values: np.ndarray, threshold: float) -> Box | None:
    """The tight box of the largest part of a map, (H, W), above a share of its maximum; None if nothing is above 0.

    Parts are connected by edges, not by corners; of equally large parts the first one, row by row, is taken.
    """
    peak = float(values[np.isfinite(values)].max(initial=0.0))
    if peak <= 0:
        return None
    rows, columns = np.nonzero(largest_part(values >= threshold * peak))
    height, width = values.shape
    ends = columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height
    return Box(*map(float, ends))


def largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest 4-connected part of a mask, both (H, W) bool; all False if the mask is empty."""
    runs = _runs(mask)
    parents = np.arange(len(runs))  # union-find over runs
    for run, neighbour in _touching(runs):
        first, second = _root(parents, run), _root(parents, neighbour)
        parents[max(first, second)] = min(first, second)
    roots = np.array([_root(parents, k) for k in range(len(runs))], int)
    part = np.zeros_like(mask, bool)
    if len(runs):
        largest = np.bincount(roots, runs[:, 2] - runs[:, 1]).argmax()
        for row, start, end in runs[roots == largest]:
            part[row, start:end] = True
    return part


def _runs(mask: np.ndarray) -> np.ndarray:
    """(n, 3) int: row, start and end of each stretch of True, row by row."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    (rows, starts), (_, ends) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    return np.stack([rows, starts, ends], 1)


def _touching(runs: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of runs in neighbouring rows that share a column."""
    pairs, above = [], 0
    for k, (row, start, end) in enumerate(runs):
        while above < k and (runs[above, 0] < row - 1 or (runs[above, 0] == row - 1 and runs[above, 2] <= start)):
            above += 1
        other = above
        while other < k and runs[other, 0] == row - 1 and runs[other, 1] < end:
            pairs.append((k, other))
            other += 1
    return pairs


def _root(parents: np.ndarray, k: int) -> int:
    while parents[k] != k:
        k = int(parents[k])
    return k


def box_in_input(box: Box, width: int, height: int, how: Preprocessing) -> Box:
    """Convert a box in an image of this size (pixels) to the preprocessed image; what is cropped away is left out."""
    if how.size is None:
        return box
    rows, columns = how.size
    tall, wide = map(float, how.scaled_size())
    if not how.stretch:
        scale = max(tall / height, wide / width)
        tall, wide = height * scale, width * scale
    left, top = (wide - columns) / 2, (tall - rows) / 2
    x0, x1 = ((x * wide - left) / columns for x in (box.x0, box.x1))
    y0, y1 = ((y * tall - top) / rows for y in (box.y0, box.y1))
    return Box(*(min(max(share, 0.0), 1.0) for share in (x0, y0, x1, y1)))
