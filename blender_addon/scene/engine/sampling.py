"""Where the passes of a picture sample its pixels, and what a camera sees. numpy only.

A picture is the mean of passes that are shifted by parts of a pixel. The shifts are spread like the weights of Cycles'
pixel filter, so that equal weights give that filter.
"""

from __future__ import annotations

import numpy as np

FILTER_SUPPORT = 3.0
"""Width in pixels of Cycles' Blackman-Harris filter at its default setting, 1.5."""
BLACKMAN_HARRIS = (0.35875, -0.48829, 0.14128, -0.01168)
"""Factors of the cosines of the filter (Harris 1978, the four-term window)."""

GOLDEN = (5**0.5 - 1) / 2


def pass_shifts(count: int) -> np.ndarray:
    """Returns the shifts of passes, (count, 2) float64 pixels; a single pass isn't shifted.

    They are a Hammersley set: of sequences of known length it leaves the least noise at edges.
    """
    if count == 1:
        return np.zeros((1, 2))
    shares = np.linspace(0.0, 1.0, 1025)
    weights = sum(factor * np.cos(2 * np.pi * k * shares) for k, factor in enumerate(BLACKMAN_HARRIS))
    cumulative = np.cumsum(weights) / np.sum(weights)
    even = (np.arange(count) + 0.5) / count
    mirrored = np.array([_radical_inverse(index) for index in range(count)]) + 0.5 / count
    shifts = (np.interp(np.stack([even, mirrored], -1), cumulative, shares) - 0.5) * FILTER_SUPPORT
    return shifts - shifts.mean(0)


def refining_shifts(count: int) -> np.ndarray:
    """Returns the shifts of passes, (count, 2) float64 pixels, in an order of which each beginning is spread too."""
    stride = next(step for step in range(max(1, round(count * GOLDEN)), 2 * count + 1) if np.gcd(step, count) == 1)
    return pass_shifts(count)[np.arange(count) * stride % count]


def _radical_inverse(index: int) -> float:
    """Returns a number of van der Corput's sequence: the index's binary digits, mirrored behind the point."""
    return float(int(f"{index:064b}"[::-1], 2)) / 2.0**64


def box_corners(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Returns the corners of a box, (8, 3) float64, opposite ones as far apart in the order as can be.

    low, high: (3,) float, the lowest corner and the highest.
    """
    picks = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], bool)
    return np.where(picks, high, low).astype(np.float64)


def in_view(corners: np.ndarray, to_clip: np.ndarray) -> np.ndarray:
    """Returns which boxes may be in view, (n,) bool: those with a corner on the inner side of each plane.

    corners: (n, 8, 3) float, in the world. to_clip: (4, 4) float, from the world to clip space.
    """
    clip = corners @ to_clip[:, :3].T + to_clip[:, 3]
    place, w = clip[..., :3], clip[..., 3:]
    return ((place <= w).any(1) & (place >= -w).any(1)).all(-1)


def sky_directions(projection: np.ndarray, to_world: np.ndarray) -> np.ndarray:
    """Returns a matrix (4, 4) float from places in a picture, (x, y, 1, 1), -1..1, to directions in the world.

    projection: (4, 4) from camera to clip space. to_world: (4, 4) from camera to world space. The directions of an
    orthographic camera are all the same.
    """
    turn = np.eye(4)
    turn[:3, :3] = to_world[:3, :3]
    if projection[3, 3] == 1.0:
        along = np.zeros((4, 4))
        along[2, 3] = -1.0
        return turn @ along
    back = np.linalg.inv(projection)
    back[3] = 0.0
    return turn @ back
