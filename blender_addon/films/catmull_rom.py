"""Smooth curves through points: centripetal Catmull-Rom, which has neither cusps nor loops within a segment.

Yuksel, Schaefer and Keyser, "Parameterization and applications of Catmull-Rom curves", 2011.
"""

from __future__ import annotations

import numpy as np

SAMPLES = 96
"""Samples of a segment between two points."""
LEAST_KNOT = 1e-4
"""Least distance of two knots, so that points may repeat."""


def curve_through(points: np.ndarray) -> np.ndarray:
    """Returns samples of the curve through points (n, 3): (SAMPLES * (n - 1) + 1, 3) float64, SAMPLES a segment."""
    points = np.asarray(points, np.float64)
    if len(points) == 1:
        return points.copy()
    framed = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    pieces = [_segment(framed[k : k + 4]) for k in range(len(points) - 1)]
    return np.concatenate([*pieces, points[-1:]])


def _segment(points: np.ndarray) -> np.ndarray:
    """Returns SAMPLES points between the middle two of four points (4, 3), by Barry and Goldman's recursion."""
    steps = np.maximum(np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1)), LEAST_KNOT)
    knots = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(knots[1], knots[2], SAMPLES, endpoint=False)[:, None]
    level = [np.broadcast_to(point, (SAMPLES, 3)) for point in points]
    for width in (1, 2, 3):
        level = [_between(level[k], level[k + 1], *_span(knots, k, width), at) for k in range(4 - width)]
    return level[0]


def _span(knots: np.ndarray, k: int, width: int) -> tuple[float, float]:
    """Returns the knots between which points k and k + 1 of a level are mixed: those of all, at the last the middle."""
    return (float(knots[1]), float(knots[2])) if width == 3 else (float(knots[k]), float(knots[k + width]))


def _between(first: np.ndarray, second: np.ndarray, start: float, end: float, at: np.ndarray) -> np.ndarray:
    """Returns the points (n, 3) that lie between two rows of points as `at` (n, 1) lies between two knots."""
    share = (at - start) / (end - start)
    return first * (1 - share) + second * share
