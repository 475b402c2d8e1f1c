"""Intersects rays with panels: from a ray to a tile and to a pixel of its map. numpy only.

VR hands do this every frame: with three numbers plain Python is ten times as fast as numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..layout.hall_model import FILL
from .tile_grids import TileGrid

Vector = Sequence[float] | np.ndarray
Three = tuple[float, float, float]


class PlaneHit(NamedTuple):
    """Intersection of a ray with a panel's plane."""

    x: float
    """Position along the panel's own x axis, metres of an unscaled panel from its lower left corner."""
    y: float
    """Position along the panel's own y axis, as x."""
    distance: float
    """Distance along the ray, in lengths of its direction."""
    front: bool
    """True when the ray hits the panel's front."""


class TilePoint(NamedTuple):
    """A point on a tile."""

    place: int
    """Place of the tile on the grid, row by row from the top left."""
    u: float
    """Share of the tile's width from the left, 0..1."""
    v: float
    """Share of the tile's height from the top, 0..1."""


def intersect_plane(matrix: Sequence[Vector] | np.ndarray, origin: Vector, direction: Vector) -> PlaneHit | None:
    """Intersects a ray, origin (3,) and direction (3,), with the plane of a panel whose matrix to world is (4, 4).

    Returns None for a ray parallel to the plane or pointing away from it, and for a panel scaled to zero.
    """
    rows = [[float(value) for value in row] for row in matrix[:3]]
    x, y, z = ((rows[0][k], rows[1][k], rows[2][k]) for k in range(3))
    normal, size = _cross(x, y), _length(x) * _length(y) * _length(z)
    volume = _dot(normal, z)
    if abs(volume) <= 1e-12 * size:
        return None
    start, step = [float(origin[k]) - rows[k][3] for k in range(3)], [float(value) for value in direction]
    depth, along = _dot(normal, start) / volume, _dot(normal, step) / volume
    if abs(along) < 1e-9 * _length(step) * _length(normal) / abs(volume) or depth * along > 0:
        return None
    distance = -depth / along
    hit = [value + distance * by for value, by in zip(start, step, strict=True)]
    across, up = _dot(_cross(y, z), hit) / volume, _dot(_cross(z, x), hit) / volume
    return PlaneHit(across, up, distance, along < 0)


def _cross(a: Three, b: Three) -> Three:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _length(a: Sequence[float]) -> float:
    return math.sqrt(_dot(a, a))


def tile_point(grid: TileGrid, x: float, y: float) -> TilePoint | None:
    """Returns the tile that contains a point of the panel's plane, None in a gap; inverts `TileGrid.inside`."""
    place = grid.pick(x, y)
    if place < 0:
        return None
    (left, low), (width, height), (row, column) = grid.corner, grid.cell, divmod(place, grid.columns)
    across, up = (x - left) / width - column - 0.5, (y - low) / height - (grid.rows - row - 0.5)
    return TilePoint(place, across / FILL + 0.5, 0.5 - up / FILL)


def map_pixel(u: float, v: float, shape: tuple[int, int]) -> tuple[int, int]:
    """Returns the pixel (row, column) at shares u and v of the tile of a map of shape (height, width)."""
    height, width = shape
    return int(min(max(v * height, 0), height - 1)), int(min(max(u * width, 0), width - 1))


def channel_at(places: np.ndarray, place: int) -> int:
    """Returns the channel at a grid place, or -1; places: (C,) int, the place of each channel of a panel."""
    channels = np.flatnonzero(places == place)
    return int(channels[0]) if len(channels) else -1
