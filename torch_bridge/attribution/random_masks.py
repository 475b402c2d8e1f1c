"""Random masks of a picture: coarse grids of kept and hidden cells, enlarged smoothly and shifted."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


class RandomMasks:
    """The masks of RISE, each made from its number, so that they don't depend on how many are made at once."""

    def __init__(self, size: tuple[int, ...], cells: int, kept: float, seed: int) -> None:
        """size: height and width in pixels. cells: of a side. kept: probability that a cell is visible."""
        self.size, self.cells, self.kept, self.seed = size, cells, kept, seed
        self.cell_sides = [math.ceil(length / cells) for length in size]

    def mask(self, number: int) -> Tensor:
        """Returns a mask, (1, 1, H, W) float32: the visible share of each pixel, 0..1."""
        random = np.random.default_rng((self.seed, number))
        grid = torch.from_numpy((random.random((1, 1, self.cells, self.cells)) < self.kept).astype(np.float32))
        enlarged = [(self.cells + 1) * side for side in self.cell_sides]
        mask = torch.nn.functional.interpolate(grid, enlarged, mode="bilinear", align_corners=False)
        y, x = (int(random.integers(side)) for side in self.cell_sides)
        return mask[..., y : y + self.size[0], x : x + self.size[1]]
