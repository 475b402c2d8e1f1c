"""From a ray to a tile and to a pixel of its map: plain arithmetic with a panel's matrix and grid. numpy only.

Hands in VR ask for this every frame: for three numbers plain Python is ten times as fast as numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..layout.model import FILL
from .atlas import Grid

Vector = Sequence[float] | np.ndarray
Three = tuple[float, float, float]


class Crossing(NamedTuple):
    """Where a ray meets a panel's plane."""

    x: float
    """In the panel's own axes, metres of an unscaled panel from its lower left corner."""
    y: float
    distance: float
    """Along the ray, in lengths of its direction."""
    front: bool
    """Whether the ray comes from the side that the panel is read from."""


class Spot(NamedTuple):
    """A point on a tile."""

    place: int
    """Of the tile on the grid, row by row from the top left."""
    u: float
    """Share of the tile's width, from the left, 0..1."""
    v: float
    """Share of its height, from the top."""


def crossing(matrix: Sequence[Vector] | np.ndarray, origin: Vector, direction: Vector) -> Crossing | None:
    """Where a ray meets the plane of a panel: moved, turned, scaled and sheared as its matrix (4, 4) says.

    None where it runs along the plane or leads away from it, and for a panel that is scaled to nothing.
    """
    rows = [[float(one) for one in row] for row in matrix[:3]]
    x, y, z = ((rows[0][k], rows[1][k], rows[2][k]) for k in range(3))
    normal, size = _cross(x, y), _length(x) * _length(y) * _length(z)
    volume = _dot(normal, z)
    if abs(volume) <= 1e-12 * size:
        return None
    start, way = [float(origin[k]) - rows[k][3] for k in range(3)], [float(one) for one in direction]
    depth, along = _dot(normal, start) / volume, _dot(normal, way) / volume
    if abs(along) < 1e-9 * _length(way) * _length(normal) / abs(volume) or depth * along > 0:
        return None
    distance = -depth / along
    met = [one + distance * by for one, by in zip(start, way, strict=True)]
    across, up = _dot(_cross(y, z), met) / volume, _dot(_cross(z, x), met) / volume
    return Crossing(across, up, distance, along < 0)


def _cross(a: Three, b: Three) -> Three:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _length(a: Sequence[float]) -> float:
    return math.sqrt(_dot(a, a))


def spot(grid: Grid, x: float, y: float) -> Spot | None:
    """The tile of a panel that holds a point of its plane; the inverse of `Grid.inside`. None for a gap."""
    place = grid.pick(x, y)
    if place < 0:
        return None
    (left, low), (width, height), (row, column) = grid.corner, grid.cell, divmod(place, grid.columns)
    across, up = (x - left) / width - column - 0.5, (y - low) / height - (grid.rows - row - 0.5)
    return Spot(place, across / FILL + 0.5, 0.5 - up / FILL)


def pixel(u: float, v: float, shape: tuple[int, int]) -> tuple[int, int]:
    """(row, column) of a map of shape (height, width) at shares u and v of its tile; edges belong to the map."""
    height, width = shape
    return int(min(max(v * height, 0), height - 1)), int(min(max(u * width, 0), width - 1))


def channel_of(places: np.ndarray, place: int) -> int:
    """The channel at a place, by the places (C,) of a panel's channels; -1 where there is none."""
    found = np.flatnonzero(places == place)
    return int(found[0]) if len(found) else -1
