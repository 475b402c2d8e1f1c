"""The shipped generator: a code becomes maps of 4 x 4 pixels, which are enlarged to a picture of 64 x 64."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CODE_WIDTH = 192
"""Units of the two layers that read the code."""
BID_SHARPNESS = 4.0
"""Factor of bids before their softmax."""
START_CHANNELS = 112
"""Channels of the first maps."""
CHANNELS = (96, 64, 40, 24)
"""Channels of the maps of 8, 16, 32 and 64 pixels."""


class CodeLayer(nn.Sequential):
    """A linear layer on codes (N, L), and ReLU."""

    def __init__(self, in_units: int, units: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_units, units)
        self.act = nn.ReLU(inplace=True)


class Choose(nn.Module):
    """Turns each group of bids in codes (N, L) float32 into shares that sum to 1, the largest bid's near 1."""

    def __init__(self, groups: tuple[int, ...]) -> None:
        """groups: number of bids in each group; they come first in a code."""
        super().__init__()
        self.groups = groups

    def forward(self, code: Tensor) -> Tensor:
        """(N, L) float32 -> (N, L) float32; numbers behind the groups stay as they are."""
        *bids, rest = code.split((*self.groups, code.shape[1] - sum(self.groups)), 1)
        return torch.cat([*((BID_SHARPNESS * own).softmax(1) for own in bids), rest], 1)


class Enlarge(nn.Sequential):
    """Doubles height and width by a transposed convolution, as in DCGAN (Radford et al. 2016), and refines them."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, channels, 4, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)


class ConceptsGenerator(nn.Module):
    """Codes (N, L) float32, normal -> pictures (N, 3, 64, 64) float32 in -1..1."""

    def __init__(self, code_length: int, groups: tuple[int, ...] = ()) -> None:
        """groups: number of bids in each of the code's choices, which come first."""
        super().__init__()
        self.choose = Choose(groups)
        self.read1 = CodeLayer(code_length, CODE_WIDTH)
        self.read2 = CodeLayer(CODE_WIDTH, CODE_WIDTH)
        self.start = nn.Linear(CODE_WIDTH, START_CHANNELS * 16)
        self.maps = nn.Unflatten(1, (START_CHANNELS, 4, 4))
        self.act = nn.ReLU(inplace=True)
        in_channels = START_CHANNELS
        for number, channels in enumerate(CHANNELS, 1):
            self.add_module(f"up{number}", Enlarge(in_channels, channels))
            in_channels = channels
        self.picture = nn.Conv2d(in_channels, 3, 3, padding=1)
        self.limit = nn.Tanh()

    def forward(self, code: Tensor) -> Tensor:
        """(N, L) float32 codes -> (N, 3, 64, 64) float32 pictures in -1..1."""
        x = self.act(self.maps(self.start(self.read2(self.read1(self.choose(code))))))
        x = self.up4(self.up3(self.up2(self.up1(x))))
        return self.limit(self.picture(x))
