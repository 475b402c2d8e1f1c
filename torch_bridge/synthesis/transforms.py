"""Random transforms of pictures before each run of the network, which make the result robust: shift, scale, rotation.

tensorflow/lucid pads, jitters, scales, rotates and jitters again, one after another. Here they are combined into one
affine map, which costs a single resampling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

GREY = 0.5
"""Share of full brightness around the picture."""
AFFINE_RANDOM_COUNT = 6
"""Random numbers 0..1 for one transform of one picture."""


@dataclass(frozen=True)
class RandomAffine:
    """A random affine map for each picture, with these ranges."""

    jitter: int = 8
    """Range of the first shift in pixels, -jitter / 2 to jitter / 2."""
    scales: int = 11
    """Number of scales, 0.02 apart, around 1."""
    turn: int = 10
    """Largest rotation to either side in degrees; whole degrees."""
    still: int = 5
    """Additional chances of no rotation, beside one for each angle."""
    last: int = 4
    """Range of the second shift in pixels, after the rest."""
    margin: int = 0
    """Pixels by which the result is wider and higher than the picture."""

    def matrices(self, random_numbers: Tensor) -> tuple[Tensor, Tensor]:
        """(N, AFFINE_RANDOM_COUNT) in 0..1 -> (N, 2, 2) matrices and (N, 2) shifts.

        Pixel of picture = matrix @ pixel of result + shift, counted right and down from the centres.
        """
        first = (random_numbers[:, :2] * (self.jitter + 1)).floor() - self.jitter / 2
        last = (random_numbers[:, 2:4] * (self.last + 1)).floor() - self.last / 2
        scale = 1 + ((random_numbers[:, 4] * self.scales).floor() - self.scales // 2) / 50
        choice = (random_numbers[:, 5] * (2 * self.turn + 1 + self.still)).floor()
        angle = torch.where(choice <= 2 * self.turn, choice - self.turn, 0.0) * math.pi / 180
        cos, sin = angle.cos() / scale, angle.sin() / scale
        matrix = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
        return matrix, (matrix @ last[..., None])[..., 0] + first

    def __call__(self, brightness: Tensor, random_numbers: Tensor) -> Tensor:
        """Transforms brightness (N, C, H, W) by (N, AFFINE_RANDOM_COUNT) to (N, C, H + margin, W + margin).

        The result is in channels-last memory format.
        """
        height, width = brightness.shape[2:]
        result = (*brightness.shape[:2], height + self.margin, width + self.margin)
        matrix, shift = self.matrices(random_numbers)
        half = brightness.new_tensor([width / 2, height / 2])
        down, across = (
            torch.arange(side, device=brightness.device)[:, None] - (side - 1) / 2 for side in result[2:]
        )  # a matrix product with three columns would take as long as all the rest
        first, second = matrix[:, :, 0] / half, matrix[:, :, 1] / half
        columns = across * first[:, None] + (shift / half)[:, None]
        grid = columns[:, None] + (down * second[:, None])[:, :, None]
        centred = (brightness - GREY).contiguous(memory_format=torch.channels_last)
        return F.grid_sample(centred, grid, align_corners=False) + GREY
