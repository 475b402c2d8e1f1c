"""Shapes of the eight objects: signed distances to their outlines, and their corners, in radii, y down."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

TIP_DEGREES = 80
"""Angle in degrees below which a corner is a tip."""


class Corner(NamedTuple):
    """A convex corner of an outline, in radii from the object's centre."""

    x: float
    y: float
    is_tip: bool
    """Whether the angle is below 80 degrees."""


def outline_distance(kind: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Returns the signed distance to an object's outline, (H, W) float64 in radii, negative inside.

    kind: position among the objects, 0..7. u, v: (H, W) float64 in radii from the object's centre.
    """
    radius = np.hypot(u, v)
    if kind == 0:
        return radius - 0.95
    if kind == 4:
        return np.abs(radius - 0.74) - 0.26
    if kind == 6:
        return np.maximum(radius - 0.95, 0.78 - np.hypot(u - 0.42, v))
    return polygon_distance(_polygon(kind), u, v)


@cache
def corners(kind: int) -> tuple[Corner, ...]:
    """Returns the convex corners of an object's outline."""
    if kind in (0, 4):
        return ()
    if kind == 6:
        horns = 0.95 * np.exp(1j * np.array([-0.94, 0.94]))
        return tuple(Corner(horn.real, horn.imag, True) for horn in horns)
    return _polygon_corners(_polygon(kind))


@cache
def _polygon(kind: int) -> np.ndarray:
    """Returns the corners of an outline in order, (n, 2) float64."""
    if kind == 1:
        return np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * 0.82
    if kind == 2:
        return np.array([(0, -1.05), (0.95, 0.72), (-0.95, 0.72)])
    if kind == 3:
        turn = np.arange(10) * np.pi / 5 - np.pi / 2
        radius = np.where(np.arange(10) % 2, 0.46, 1.1)
        return np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1)
    if kind == 5:
        quarter = np.array([(-0.34, -1.0), (0.34, -1.0), (0.34, -0.34)])
        return np.concatenate([quarter @ np.array([(c, s), (-s, c)]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))])
    return np.array([(-1, -0.3), (0.1, -0.3), (0.1, -0.85), (1.1, 0), (0.1, 0.85), (0.1, 0.3), (-1, 0.3)])


def polygon_distance(polygon: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Returns the distance to the nearest edge, (H, W) float64, negative where a ray crosses an odd number of edges.

    polygon: (n, 2) float64 corners in order. u, v: (H, W) float64.
    """
    squared, inside = np.full(u.shape, 1e9), np.zeros(u.shape, bool)
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        ex, ey, wx, wy = bx - ax, by - ay, u - ax, v - ay
        along = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0, 1)
        squared = np.minimum(squared, (wx - along * ex) ** 2 + (wy - along * ey) ** 2)
        inside ^= ((ay > v) != (by > v)) & (u < ex * (v - ay) / (ey + (ey == 0)) + ax)
    return np.where(inside, -1, 1) * np.sqrt(squared)


def _polygon_corners(polygon: np.ndarray) -> tuple[Corner, ...]:
    following = np.roll(polygon, -1, 0)
    into, out = polygon - np.roll(polygon, 1, 0), following - polygon
    turn = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]
    cosine = -(into * out).sum(1) / np.linalg.norm(into, axis=1) / np.linalg.norm(out, axis=1)
    angle = np.degrees(np.arccos(cosine))
    # the sign of the area is the orientation; a turn alone doesn't say whether its corner is convex
    orientation = np.sign((polygon[:, 0] * following[:, 1] - polygon[:, 1] * following[:, 0]).sum())
    convex = turn * orientation > 0
    found = zip(polygon[convex], angle[convex], strict=True)
    return tuple(Corner(x, y, bool(degrees < TIP_DEGREES)) for (x, y), degrees in found)
