"""The segmenter that ships with the project: it says of every pixel of a picture which concept is shown there."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = (16, 32, 48, 64)
"""Channels of the maps of 64, 32, 16 and 8 pixels."""


class SegmenterBlock(nn.Sequential):
    """A convolution of 3 x 3, batch norm and ReLU."""

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)


class ConceptsSegmenter(nn.Module):
    """Pictures (N, 3, H, W) float32 in -1..1 -> (N, concepts, H, W) logits; a small U-Net (Ronneberger et al. 2015)."""

    def __init__(self, concepts: int) -> None:
        super().__init__()
        first, *deeper = CHANNELS
        self.down = nn.ModuleList([SegmenterBlock(3, first)])
        for shallow, deep in zip(CHANNELS, deeper, strict=False):
            self.down.append(SegmenterBlock(shallow, deep, 2))
        self.middle = SegmenterBlock(CHANNELS[-1], CHANNELS[-1])
        self.up = nn.ModuleList(
            SegmenterBlock(deep + shallow, shallow)
            for deep, shallow in zip(CHANNELS[:0:-1], CHANNELS[-2::-1], strict=True)
        )
        self.classify = nn.Conv2d(first, concepts, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) float32 in -1..1 -> (N, concepts, H, W) float32 logits."""
        shallow = []
        for block in self.down:
            x = block(x)
            shallow.append(x)
        x = self.middle(shallow.pop())
        for block in self.up:
            skipped = shallow.pop()
            enlarged = F.interpolate(x, skipped.shape[2:], mode="bilinear", align_corners=False)
            x = block(torch.cat((enlarged, skipped), 1))
        return self.classify(x)
