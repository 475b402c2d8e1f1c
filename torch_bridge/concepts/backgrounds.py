"""Six backgrounds. Each function returns the mix of the two background paints, (H, W) float64 in 0..1.

x and y, (H, W) float64, are the pixels' centres, 0..1 from the upper left corner; `pixel` is the side of a pixel.
"""

from __future__ import annotations

import numpy as np

from .seeded_random import Rng, soft_step, value_noise


def _sky(rng: Rng, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    return np.clip(y * 1.3 - 0.15 + 0.06 * np.sin(3 * x + rng.uniform(0, 6)), 0, 1)


def _hills(rng: Rng, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    a, b, c = rng.uniform(0, 6.28, 3)
    ridge = rng.uniform(0.4, 0.6) + 0.09 * np.sin(5 * x + a) + 0.05 * np.sin(11 * x + b) + 0.02 * np.sin(23 * x + c)
    return soft_step(y - ridge, 1.5 * pixel)


def _bricks(rng: Rng, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    rows, left, top = rng.uniform(5, 7), rng.uniform(), rng.uniform()
    row = np.floor(y * rows + top)
    u, v = (x * rows / 2 + left + 0.5 * (row % 2)) % 1, (y * rows + top) % 1
    to_joint = np.minimum(np.minimum(u, 1 - u) * 2, np.minimum(v, 1 - v)) / rows
    return soft_step(0.012 + pixel * 0.4 - to_joint, pixel)


def _waves(rng: Rng, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    crest = rng.uniform(14, 20) * y
    bend = 1.3 * np.sin(rng.uniform(5, 8) * x + rng.uniform(0, 6))
    return 0.5 + 0.5 * np.sin(crest + bend + rng.uniform(0, 6))


def _clouds(rng: Rng, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    return soft_step(0.65 * value_noise(rng, x, y, 4) + 0.35 * value_noise(rng, x, y, 9) - 0.5, 0.35)


def _rays(rng: Rng, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    angle = np.arctan2(y - rng.uniform(0.3, 0.7), x - rng.uniform(0.3, 0.7))
    return soft_step(np.sin((6 + rng.below(3)) * angle + rng.uniform(0, 6)), 0.25)


BACKGROUNDS = (_sky, _hills, _bricks, _waves, _clouds, _rays)
"""In the order of the scene names in the vocabulary."""
