"""Seeded numbers and the two brushes that everything is painted with: a soft step and smooth noise."""

from __future__ import annotations

from typing import Any

import numpy as np


class Rng:
    """Numbers that depend on the key alone.

    Only `Generator.random()` is used: its stream is the most stable part of numpy.
    """

    def __init__(self, *key: int) -> None:
        self._generator = np.random.default_rng(list(key))

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        """A float of [low, high), or an array of `size`."""
        return low + (high - low) * self._generator.random(size)

    def below(self, count: int) -> int:
        """A whole number of 0..count - 1."""
        return int(self._generator.random() * count)

    def order(self, count: int) -> list[int]:
        """0..count - 1 shuffled."""
        return [int(k) for k in np.argsort(self.uniform(size=count), kind="stable")]


def soft_step(x: np.ndarray, width: float) -> np.ndarray:
    """1 where x > 0, else 0, with a ramp of `width` between: an anti-aliased edge."""
    return np.clip(0.5 + x / width, 0, 1)


def value_noise(rng: Rng, x: np.ndarray, y: np.ndarray, cells: int) -> np.ndarray:
    """Smooth value noise in 0..1 on a grid of `cells` by `cells` over the unit square."""
    grid = rng.uniform(size=(cells + 2, cells + 2))
    fx, fy = np.clip(x, 0, 0.9999) * cells, np.clip(y, 0, 0.9999) * cells
    ix, iy = fx.astype(int), fy.astype(int)
    tx, ty = fx - ix, fy - iy
    tx, ty = tx * tx * (3 - 2 * tx), ty * ty * (3 - 2 * ty)
    top = grid[iy, ix] * (1 - tx) + grid[iy, ix + 1] * tx
    return top * (1 - ty) + (grid[iy + 1, ix] * (1 - tx) + grid[iy + 1, ix + 1] * tx) * ty
