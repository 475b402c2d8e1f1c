"""Hands that hold a panel: it goes where one hand goes, and grows and turns as two hands do. numpy only.

Matrices are (4, 4) float64, object to world, metres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Point = Sequence[float] | np.ndarray
Rows = tuple[tuple[float, float, float, float], ...]
"""The four of a matrix."""

LEAST, MOST = 0.05, 20.0
"""How small and how large two hands make a panel in one go, times what it was."""
APART = 0.02
"""Metres: hands that are nearer are taken to be so far apart."""


def carried(panel: np.ndarray, before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """A panel that moves with one hand, from the hand's pose when it took hold to its pose now."""
    return now @ np.linalg.inv(before) @ panel


def stretched(panel: np.ndarray, before: tuple[Point, Point], now: tuple[Point, Point]) -> np.ndarray:
    """A panel between two hands: as much larger as they are further apart, turned about the vertical as their line is.

    before, now: where both hands are, world; what was halfway between them stays halfway.
    """
    (a, b), (c, d) = (np.asarray(pair, float) for pair in (before, now))
    old, new = b - a, d - c
    factor = max(float(np.linalg.norm(new)), APART) / max(float(np.linalg.norm(old)), APART)
    factor = min(max(factor, LEAST), MOST)
    moved = _shift((c + d - a - b) / 2) @ scaled(panel, (a + b) / 2, factor)
    return _shift((c + d) / 2) @ _turn(_yaw(new) - _yaw(old)) @ _shift(-(c + d) / 2) @ moved


def scaled(panel: np.ndarray, about: np.ndarray, factor: float) -> np.ndarray:
    """A panel that is so many times as large; a point (3,) of the world stays."""
    return _shift(about) @ np.diag([factor] * 3 + [1.0]) @ _shift(-about) @ panel


def _yaw(along: np.ndarray) -> float:
    """Angle of a vector about the vertical; 0 for one that is upright."""
    return math.atan2(along[1], along[0]) if math.hypot(along[0], along[1]) > APART else 0.0


def _shift(by: np.ndarray) -> np.ndarray:
    found = np.eye(4)
    found[:3, 3] = by
    return found


def _turn(angle: float) -> np.ndarray:
    found = np.eye(4)
    found[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return found


def facing(place: Point, eye: Point, up: float = 0.0, aside: Point = (0.0, 0.0, 0.0), size: float = 1.0) -> Rows:
    """The pose of something small that an eye looks at: its x to the right, its y up, its z to the eye.

    `up` metres above the place, moved `aside` along its own axes, metres, and so many times as large. Straight above or
    below the eye it faces the eye's -y. Plain numbers: it is asked for several times a frame.
    """
    x, y, z = (float(one) for one in place)
    back = float(eye[0]) - x, float(eye[1]) - y, float(eye[2]) - z - up
    if math.hypot(back[0], back[1]) < 1e-6:
        back = back[0], back[1] - 1e-3, back[2]
    flat, whole = math.hypot(back[0], back[1]), math.hypot(*back)
    i, j, k = (one / whole for one in back)
    east, north = -j * whole / flat, i * whole / flat
    a, b, c = aside
    rows = (east, -k * north, i, x), (north, k * east, j, y), (0.0, i * north - j * east, k, z + up)
    found = tuple((r * size, u * size, n * size, at + r * a + u * b + n * c) for r, u, n, at in rows)
    return *found, (0.0, 0.0, 0.0, 1.0)
