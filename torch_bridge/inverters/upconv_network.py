"""UpconvNet: a network from a layer's maps to pictures, made of convolutions and 2x upsampling.

Dosovitskiy and Brox 2016, "Inverting Visual Representations with Convolutional Networks": leaky ReLU of 0.2, and fully
connected layers first if the layer is a vector. Maps are enlarged bilinearly before a convolution, because transposed
convolutions leave a grid (Odena et al. 2016). The last upsampling is a sub-pixel convolution (Shi et al. 2016), which
saves the most expensive layer; its sub-pixels start equal, so without a grid (Aitken et al. 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAKY_SLOPE = 0.2
MIN_SIDE = 4
"""Height and width of the first maps made from a vector."""
MAX_WIDTH_FACTOR = 4
"""Largest ratio of the channels of the first maps to those of the last."""
HIDDEN_WIDTH_FACTOR = 4
"""Units between the two fully connected layers, as a multiple of the width."""


@dataclass(frozen=True)
class UpconvPlan:
    """Shapes and width of an UpconvNet."""

    maps: tuple[int, int, int]
    """(C, H, W) of the layer's maps."""
    picture: tuple[int, int, int]
    """(C, H, W) of the picture."""
    width: int = 16
    """Channels of the last maps, from which the picture is made."""

    @property
    def is_vector(self) -> bool:
        """Whether the layer's maps are a vector, (C, 1, 1)."""
        return self.maps[1:] == (1, 1)

    @property
    def doublings(self) -> int:
        """Number of 2x upsamplings."""
        start = (MIN_SIDE, MIN_SIDE) if self.is_vector else self.maps[1:]
        ratios = (math.log2(end / begin) for end, begin in zip(self.picture[1:], start, strict=True))
        return max(0, math.floor(min(ratios)))

    @property
    def first_size(self) -> tuple[int, int]:
        """(H, W) of the first maps: the smallest that the upsamplings turn into at least the picture's size."""
        height, width = (-(-side >> self.doublings) for side in self.picture[1:])
        return height, width

    def channels(self, upsampled: int) -> int:
        """Returns the number of channels after so many upsamplings."""
        return self.width * min(MAX_WIDTH_FACTOR, 2 ** max(self.doublings - 1 - upsampled, 0))


class UpconvNet(nn.Module):
    """Maps (N, C, H, W) float32 -> pictures (N, C, H, W) float32, normalised as for the inverted network."""

    def __init__(self, plan: UpconvPlan) -> None:
        super().__init__()
        self.plan = plan
        channels, first_channels = plan.maps[0], plan.channels(0)
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("scale", torch.ones(channels, 1, 1))
        if plan.is_vector:
            hidden = HIDDEN_WIDTH_FACTOR * plan.width
            self.spread = nn.Linear(channels, hidden)
            self.first = nn.Linear(hidden, first_channels * math.prod(plan.first_size))
        else:
            self.first = nn.Conv2d(channels, first_channels, 3, padding=1)
        count = max(plan.doublings - 1, 0)
        upsamplings = (nn.Conv2d(plan.channels(k), plan.channels(k + 1), 3, padding=1) for k in range(count))
        self.up = nn.ModuleList(upsamplings)
        self.clean = nn.ModuleList(nn.Conv2d(n, n, 3, padding=1) for n in map(plan.channels, range(count + 1)))
        self.subpixels = 2 if plan.doublings else 1
        self.last = nn.Conv2d(plan.width, plan.picture[0] * self.subpixels**2, 3, padding=1)

    def initialise(self, random: torch.Generator) -> None:
        """Draws all weights (He et al. 2015), the same for the four sub-pixels of each colour; biases become 0."""
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, LEAKY_SLOPE, generator=random)
                nn.init.zeros_(module.bias)
        count = self.subpixels**2
        self.last.weight.data = self.last.weight.data[::count].repeat_interleave(count, 0)

    def set_normalisation(self, maps: Tensor) -> None:
        """Sets mean and scale of each channel from (N, C, H, W) float32 maps, so that inputs have unit variance."""
        self.mean.copy_(maps.mean((0, 2, 3))[:, None, None])
        deviation = maps.std((0, 2, 3), correction=0)
        self.scale.copy_((1 / torch.where(deviation > 1e-6, deviation, 1.0))[:, None, None])

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) float32 maps -> (N, C, H, W) float32 pictures."""
        x = (maps - self.mean) * self.scale
        if self.plan.is_vector:
            hidden = F.leaky_relu(self.spread(x.flatten(1)), LEAKY_SLOPE)
            x = self.first(hidden).reshape(len(x), -1, *self.plan.first_size)
        else:
            x = self.first(x)
        x = F.leaky_relu(x, LEAKY_SLOPE)
        if x.shape[2:] != self.plan.first_size:
            x = F.interpolate(x, self.plan.first_size, mode="bilinear", align_corners=False)
        x = F.leaky_relu(self.clean[0](x), LEAKY_SLOPE)
        for up, clean in zip(self.up, self.clean[1:], strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = F.leaky_relu(up(x), LEAKY_SLOPE)
            x = F.leaky_relu(clean(x), LEAKY_SLOPE)
        height, width = self.plan.picture[1:]
        return F.pixel_shuffle(self.last(x), self.subpixels)[..., :height, :width]
