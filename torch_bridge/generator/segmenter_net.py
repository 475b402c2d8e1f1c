"""The segmenter that ships with the project: it says of every pixel of a picture which concept is shown there."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = (12, 32, 64, 80)
"""Channels of the maps of 64, 32, 16 and 8 pixels."""


class SegmenterBlock(nn.Sequential):
    """A convolution of 3 x 3, batch norm and ReLU."""

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)


class ConceptsSegmenter(nn.Module):
    """Pictures (N, 3, H, W) float32 in -1..1 -> (N, concepts, H, W) logits; a U-Net (Ronneberger et al. 2015).

    The skipped maps are added, not appended, which costs less where maps are large.
    """

    def __init__(self, concepts: int) -> None:
        super().__init__()
        first, deepest = CHANNELS[0], CHANNELS[-1]
        self.down = nn.ModuleList([SegmenterBlock(3, first)])
        self.down.extend(SegmenterBlock(*pair, 2) for pair in zip(CHANNELS, CHANNELS[1:], strict=False))
        self.middle = nn.Sequential(SegmenterBlock(deepest, deepest), SegmenterBlock(deepest, deepest))
        pairs = list(zip(CHANNELS[:0:-1], CHANNELS[-2::-1], strict=True))
        self.narrow = nn.ModuleList(nn.Conv2d(deep, shallow, 1) for deep, shallow in pairs)
        self.up = nn.ModuleList(SegmenterBlock(shallow, shallow) for _, shallow in pairs)
        self.classify = nn.Conv2d(first, concepts, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) float32 in -1..1 -> (N, concepts, H, W) float32 logits."""
        skipped = []
        for block in self.down:
            x = block(x)
            skipped.append(x)
        x = self.middle(skipped.pop())
        for narrow, block in zip(self.narrow, self.up, strict=True):
            shallow = skipped.pop()
            x = F.interpolate(narrow(x), shallow.shape[2:], mode="bilinear", align_corners=False)
            x = block(x + shallow)
        return self.classify(x)
