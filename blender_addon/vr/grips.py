"""How gripped panels follow hands: one hand moves a panel, two hands scale and turn it. numpy only.

Matrices are (4, 4) float64, object to world, in metres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Point = Sequence[float] | np.ndarray
Rows = tuple[tuple[float, float, float, float], ...]
"""The four rows of a matrix."""

MIN_FACTOR, MAX_FACTOR = 0.05, 20.0
"""Bounds of the factor by which two hands scale a panel in one grip."""
MIN_DISTANCE = 0.02
"""Distance between two hands, in metres, below which they count as this far apart."""


def carry_panel(panel: np.ndarray, before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Returns the pose of a panel that one hand carries.

    panel, before: (4, 4), poses of panel and hand when it was gripped; now: (4, 4), pose of the hand.
    """
    return now @ np.linalg.inv(before) @ panel


def stretch_panel(panel: np.ndarray, before: tuple[Point, Point], now: tuple[Point, Point]) -> np.ndarray:
    """Returns the pose (4, 4) of a panel that two hands hold.

    It is scaled by the distance between the hands and turned about the vertical with the line between them; the point
    halfway between the hands stays halfway. before, now: (3,) positions of both hands.
    """
    (a, b), (c, d) = (np.asarray(pair, float) for pair in (before, now))
    old, new = b - a, d - c
    factor = max(float(np.linalg.norm(new)), MIN_DISTANCE) / max(float(np.linalg.norm(old)), MIN_DISTANCE)
    factor = min(max(factor, MIN_FACTOR), MAX_FACTOR)
    moved = _translation((c + d - a - b) / 2) @ scale_panel(panel, (a + b) / 2, factor)
    return _translation((c + d) / 2) @ _rotation(_yaw(new) - _yaw(old)) @ _translation(-(c + d) / 2) @ moved


def scale_panel(panel: np.ndarray, centre: np.ndarray, factor: float) -> np.ndarray:
    """Returns a pose (4, 4), scaled by a factor about a point (3,) of the world."""
    return _translation(centre) @ np.diag([factor] * 3 + [1.0]) @ _translation(-centre) @ panel


def _yaw(vector: np.ndarray) -> float:
    """Returns the angle of a vector (3,) about the vertical; 0 if it is upright."""
    return math.atan2(vector[1], vector[0]) if math.hypot(vector[0], vector[1]) > MIN_DISTANCE else 0.0


def _translation(offset: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix


def _rotation(angle: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return matrix


def facing_pose(
    position: Point, eye: Point, up: float = 0.0, offset: Point = (0.0, 0.0, 0.0), size: float = 1.0
) -> Rows:
    """Returns the rows (4, 4) of a pose that faces an eye: x to its right, y up, z towards it.

    position, eye: (3,), world. The origin lies `up` metres above the position, moved by `offset` (3,) along the pose's
    own axes; size: scale. Straight above or below the eye it faces the eye's -y. Plain floats, as numpy is slower for
    so few numbers and this runs several times a frame.
    """
    x, y, z = (float(number) for number in position)
    back = float(eye[0]) - x, float(eye[1]) - y, float(eye[2]) - z - up
    if math.hypot(back[0], back[1]) < 1e-6:
        back = back[0], back[1] - 1e-3, back[2]
    horizontal, length = math.hypot(back[0], back[1]), math.hypot(*back)
    i, j, k = (number / length for number in back)
    east, north = -j * length / horizontal, i * length / horizontal
    a, b, c = offset
    rows = (east, -k * north, i, x), (north, k * east, j, y), (0.0, i * north - j * east, k, z + up)
    scaled = tuple((r * size, u * size, n * size, start + r * a + u * b + n * c) for r, u, n, start in rows)
    return *scaled, (0.0, 0.0, 0.0, 1.0)
