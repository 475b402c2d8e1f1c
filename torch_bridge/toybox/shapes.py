"""Flat outlines as signed distances: ellipses, rounded boxes, polygons, rings. Lengths in radii of a toy, v down."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..concepts.objects import polygon_distance

Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""u, v (H, W) float64 -> the distance to the outline (H, W) float64, negative inside."""


def ellipse(x: float, y: float, width: float, height: float, turn: float = 0.0) -> Shape:
    """Returns an ellipse around (x, y) with these half axes, turned by an angle in radians."""
    c, s = np.cos(turn), np.sin(turn)

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        a, b = (u - x) * c + (v - y) * s, (v - y) * c - (u - x) * s
        near = np.hypot(a / width, b / height)
        return near * (near - 1) / np.maximum(np.hypot(a / width**2, b / height**2), 1e-9)

    return distance


def box(x: float, y: float, width: float, height: float, corner: float = 0.0) -> Shape:
    """Returns a box around (x, y) with these half sides and rounded corners."""

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        a, b = np.abs(u - x) - width + corner, np.abs(v - y) - height + corner
        return np.hypot(np.maximum(a, 0), np.maximum(b, 0)) + np.minimum(np.maximum(a, b), 0) - corner

    return distance


def polygon(corners: Sequence[tuple[float, float]], corner: float = 0.0) -> Shape:
    """Returns a polygon that is larger by `corner` on all sides, and rounded by it."""
    points = np.array(corners, float)
    return lambda u, v: polygon_distance(points, u, v) - corner


def ring(x: float, y: float, radius: float, thickness: float) -> Shape:
    """Returns a ring around (x, y): its middle radius, and half of its thickness."""
    return lambda u, v: np.abs(np.hypot(u - x, v - y) - radius) - thickness


def cut(shape: Shape, other: Shape) -> Shape:
    """Returns a shape without what another covers."""
    return lambda u, v: np.maximum(shape(u, v), -other(u, v))


def dented(x: float, y: float, radius: float, depth: float) -> Shape:
    """Returns a disc around (x, y) with a round dent of this depth above, and half of it below."""

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        angle = np.arctan2(u - x, y - v)  # 0 above
        dent = depth * (np.exp(-(angle**2) / 0.12) + 0.5 * np.exp(-((np.abs(angle) - np.pi) ** 2) / 0.12))
        return np.hypot(u - x, v - y) - radius + dent

    return distance
