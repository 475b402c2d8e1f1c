"""From a ray to a tile and to a pixel of its map: plain arithmetic with a panel's matrix and grid. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .atlas import Grid
from .slots import FILL

Vector = Sequence[float] | np.ndarray


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


def crossing(matrix: np.ndarray, origin: Vector, direction: Vector) -> Crossing | None:
    """Where a ray meets the plane of a panel: moved, turned, scaled and sheared as its matrix (4, 4) says.

    None where it runs along the plane or leads away from it, and for a panel that is scaled to nothing.
    """
    matrix = np.asarray(matrix, float)
    columns = matrix[:3, :3]
    if np.linalg.matrix_rank(columns) < 3:
        return None
    start, along = np.linalg.solve(columns, np.stack([np.subtract(origin, matrix[:3, 3]), direction], 1)).T
    if abs(along[2]) < 1e-9 * np.linalg.norm(along) or start[2] * along[2] > 0:
        return None
    distance = -start[2] / along[2]
    x, y, _ = start + distance * along
    return Crossing(float(x), float(y), float(distance), bool(along[2] < 0))


def spot(grid: Grid, x: float, y: float) -> Spot | None:
    """The tile of a panel that holds a point of its plane; the inverse of `Grid.inside`. None for a gap."""
    place = grid.pick(x, y)
    if place < 0:
        return None
    across, up = ((x, y) - grid.centre(place)) / (FILL * np.asarray(grid.cell))
    return Spot(place, float(across + 0.5), float(0.5 - up))


def pixel(u: float, v: float, shape: tuple[int, int]) -> tuple[int, int]:
    """(row, column) of a map of shape (height, width) at shares u and v of its tile; edges belong to the map."""
    height, width = shape
    row, column = int(np.clip(v * height, 0, height - 1)), int(np.clip(u * width, 0, width - 1))
    return row, column


def channel_of(places: np.ndarray, place: int) -> int:
    """The channel at a place, by the places (C,) of a panel's channels; -1 where there is none."""
    found = np.flatnonzero(places == place)
    return int(found[0]) if len(found) else -1
