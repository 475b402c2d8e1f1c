"""What pictures go through before the network sees them, so that what is found lasts: moved, scaled, turned a bit.

tensorflow/lucid pads, jitters, scales, turns and jitters again, each with a picture of its own. Together they are one
affine map, and cost one resampling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

GREY = 0.5
NUMBERS = 6
"""Random numbers 0..1 for one move of one picture."""


@dataclass(frozen=True)
class RandomAffine:
    """How far pictures are moved; every picture by itself."""

    jitter: int = 8
    """Pixels: the first jitter chooses among so many and one; grey surrounds the picture."""
    scales: int = 11
    """How many scales there are, 0.02 from each other, around 1."""
    turn: int = 10
    """Degrees to either side, whole ones."""
    still: int = 5
    """How many times more often than that it is not turned at all."""
    last: int = 4
    """Pixels of a second jitter, after all."""
    margin: int = 0
    """Pixels by which the result is larger than the picture."""

    def matrices(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """(N, NUMBERS) in 0..1 -> (N, 2, 2) and (N, 2): pixel of the picture = matrix @ pixel of the result + shift.

        Pixels are counted right and down from the middles.
        """
        first = (numbers[:, :2] * (self.jitter + 1)).floor() - self.jitter / 2
        last = (numbers[:, 2:4] * (self.last + 1)).floor() - self.last / 2
        scale = 1 + ((numbers[:, 4] * self.scales).floor() - self.scales // 2) / 50
        choice = (numbers[:, 5] * (2 * self.turn + 1 + self.still)).floor()
        angle = torch.where(choice <= 2 * self.turn, choice - self.turn, 0.0) * math.pi / 180
        cos, sin = angle.cos() / scale, angle.sin() / scale
        matrix = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
        return matrix, (matrix @ last[..., None])[..., 0] + first

    def __call__(self, shares: Tensor, numbers: Tensor) -> Tensor:
        """(N, C, H, W) shares, moved by (N, NUMBERS) -> (N, C, H + margin, W + margin), channels last in memory."""
        height, width = shares.shape[2:]
        result = (*shares.shape[:2], height + self.margin, width + self.margin)
        matrix, shift = self.matrices(numbers)
        half = shares.new_tensor([width / 2, height / 2])
        down, across = (
            torch.arange(side, device=shares.device)[:, None] - (side - 1) / 2 for side in result[2:]
        )  # a matrix product with three columns would take as long as all the rest
        first, second = matrix[:, :, 0] / half, matrix[:, :, 1] / half
        columns = across * first[:, None] + (shift / half)[:, None]
        grid = columns[:, None] + (down * second[:, None])[:, :, None]
        centred = (shares - GREY).contiguous(memory_format=torch.channels_last)
        return F.grid_sample(centred, grid, align_corners=False) + GREY
