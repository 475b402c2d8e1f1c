"""Seeded random numbers, and the two functions that all patterns are made of: a soft step and smooth noise."""

from __future__ import annotations

from typing import Any

import numpy as np


class Rng:
    """Random numbers that depend on the key alone.

    Only `Generator.random()` is used, because its stream is the most stable part of numpy.
    """

    def __init__(self, *key: int) -> None:
        self._generator = np.random.default_rng(list(key))

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        """Returns a float in [low, high), or a float64 array of shape `size`."""
        return low + (high - low) * self._generator.random(size)

    def below(self, count: int) -> int:
        """Returns an integer from 0 to count - 1."""
        return int(self._generator.random() * count)

    def order(self, count: int) -> list[int]:
        """Returns 0..count - 1 in random order."""
        return [int(k) for k in np.argsort(self.uniform(size=count), kind="stable")]


def soft_step(x: np.ndarray, width: float | np.ndarray) -> np.ndarray:
    """Returns an anti-aliased step of (H, W) float64: 0 below 0, 1 above, with a ramp of this width between.

    width: one for all, or (H, W) float64.
    """
    return np.clip(0.5 + x / width, 0, 1)


def value_noise(rng: Rng, x: np.ndarray, y: np.ndarray, cells: int) -> np.ndarray:
    """Returns smooth noise (H, W) float64 in 0..1 at x, y (H, W) in 0..1; the unit square has `cells`² cells."""
    grid = rng.uniform(size=(cells + 2, cells + 2))
    fx, fy = np.clip(x, 0, 0.9999) * cells, np.clip(y, 0, 0.9999) * cells
    ix, iy = fx.astype(int), fy.astype(int)
    tx, ty = fx - ix, fy - iy
    tx, ty = tx * tx * (3 - 2 * tx), ty * ty * (3 - 2 * ty)
    top = grid[iy, ix] * (1 - tx) + grid[iy, ix + 1] * tx
    return top * (1 - ty) + (grid[iy + 1, ix] * (1 - tx) + grid[iy + 1, ix + 1] * tx) * ty
