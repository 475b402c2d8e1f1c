"""A network from a layer's maps back to pictures: convolutions that double the sides until they are the picture's.

Dosovitskiy and Brox 2016, "Inverting Visual Representations with Convolutional Networks": leaky ReLU of 0.2, fully
connected layers before it where the layer has no sides. Doubling is a transposed convolution of stride 2; the last one
lays out four pixels from each place, which spares the widest work (Shi et al. 2016, "sub-pixel convolution").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2
LEAST_SIDE = 4
"""Of the first maps made of a vector."""
WIDEST = 4
"""Times the width of the last maps: as wide as the first ones are at most."""
HIDDEN = 4
"""Times the width: channels between the two fully connected layers."""


@dataclass(frozen=True)
class UpconvPlan:
    """Between which shapes, and how wide."""

    maps: tuple[int, int, int]
    """(C, H, W) of the layer."""
    picture: tuple[int, int, int]
    """(C, H, W)."""
    width: int = 16
    """Channels of the maps that the picture is made of."""

    @property
    def vector(self) -> bool:
        """Whether the layer has no sides to begin with."""
        return self.maps[1:] == (1, 1)

    @property
    def doublings(self) -> int:
        """How often the sides are doubled."""
        sides = (LEAST_SIDE, LEAST_SIDE) if self.vector else self.maps[1:]
        return max(0, math.floor(min(math.log2(of / to) for of, to in zip(self.picture[1:], sides, strict=True))))

    @property
    def first(self) -> tuple[int, int]:
        """Sides of the first maps: those that the doublings turn into the picture's, or a little more."""
        height, width = (-(-side >> self.doublings) for side in self.picture[1:])
        return height, width

    def channels(self, doubled: int) -> int:
        """Of the maps after so many doublings."""
        return self.width * min(WIDEST, 2 ** max(self.doublings - 1 - doubled, 0))


class UpconvNet(nn.Module):
    """(N, C, H, W) maps -> (N, C, H, W) pictures, in the network's own numbers."""

    def __init__(self, plan: UpconvPlan) -> None:
        super().__init__()
        self.plan = plan
        channels, wide = plan.maps[0], plan.channels(0)
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("scale", torch.ones(channels, 1, 1))
        if plan.vector:
            self.spread = nn.Linear(channels, HIDDEN * plan.width)
            self.first = nn.Linear(HIDDEN * plan.width, wide * math.prod(plan.first))
        else:
            self.first = nn.Conv2d(channels, wide, 3, padding=1)
        count = max(plan.doublings - 1, 0)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(plan.channels(k), plan.channels(k + 1), 4, 2, 1) for k in range(count)
        )  # fmt: skip
        self.clean = nn.ModuleList(nn.Conv2d(n, n, 3, padding=1) for n in map(plan.channels, range(count + 1)))
        self.side = 2 if plan.doublings else 1
        self.last = nn.Conv2d(plan.width, plan.picture[0] * self.side**2, 3, padding=1)

    def fit_to(self, maps: Tensor) -> None:
        """Take mean and deviation of each channel from (N, C, H, W) maps, so that it begins with numbers near 1."""
        self.mean.copy_(maps.mean((0, 2, 3))[:, None, None])
        deviation = maps.std((0, 2, 3), correction=0)
        self.scale.copy_((1 / torch.where(deviation > 1e-6, deviation, 1.0))[:, None, None])

    def forward(self, maps: Tensor) -> Tensor:
        x = (maps - self.mean) * self.scale
        if self.plan.vector:
            x = self.first(F.leaky_relu(self.spread(x.flatten(1)), SLOPE)).reshape(len(x), -1, *self.plan.first)
        else:
            x = self.first(x)
        x = F.leaky_relu(x, SLOPE)
        if x.shape[2:] != self.plan.first:
            x = F.interpolate(x, self.plan.first, mode="bilinear", align_corners=False)
        x = F.leaky_relu(self.clean[0](x), SLOPE)
        for up, clean in zip(self.up, self.clean[1:], strict=True):
            x = F.leaky_relu(up(x), SLOPE)
            x = F.leaky_relu(clean(x), SLOPE)
        height, width = self.plan.picture[1:]
        return F.pixel_shuffle(self.last(x), self.side)[..., :height, :width]
