"""The network of the `toybox` pictures: a stem, residual and dense blocks, and attention between all places at the end.

The attribute names are the layer ids of recordings and the tensor names of the weight file.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEM, NARROW, WIDE = 16, 24, 64
"""Channels of the stem, of the first residual stage, and of the second and of the tokens."""
DENSE_IN, GROWTH, DENSE_LAYERS = 40, 12, 5
HEADS = 4


class ConvNorm(nn.Module):
    """A convolution with batch norm and, unless it ends a residual branch, ReLU."""

    def __init__(self, in_channels: int, channels: int, kernel: int = 1, stride: int = 1, relu: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) float32 -> (N, channels, H / stride, W / stride)."""
        return self.relu(self.norm(self.conv(x)))


class Bottleneck(nn.Module):
    """Three convolutions, the middle one 3x3 on half of the channels, and their input added (He et al. 2015)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = ConvNorm(channels, channels // 2)
        self.look = ConvNorm(channels // 2, channels // 2, 3)
        self.expand = ConvNorm(channels // 2, channels, relu=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) float32 -> the same shape."""
        return self.relu(x + self.expand(self.look(self.reduce(x))))


class DenseLayer(nn.Module):
    """Two convolutions whose result is joined to their input (Huang et al. 2016)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.reduce = ConvNorm(in_channels, 2 * GROWTH)
        self.grow = ConvNorm(2 * GROWTH, GROWTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) float32 -> (N, in_channels + GROWTH, H, W)."""
        return torch.cat([x, self.grow(self.reduce(x))], 1)


class AttentionBlock(nn.Module):
    """Self-attention and two linear layers, each with its input added (Vaswani et al. 2017, norm first)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, 2 * channels)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, tokens, channels) float32 -> the same shape."""
        batch, tokens, channels = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, HEADS, channels // HEADS).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        x = x + self.proj(seen.transpose(1, 2).reshape(batch, tokens, channels))
        return x + self.fc2(self.gelu(self.fc1(self.norm2(x))))


class ToyboxNet(nn.Module):
    """(N, 3, 128, 128) float32 in -1..1 -> (N, classes) logits; other multiples of 8 work too.

    Attention has no positional embedding: the convolutions before it know where the edges of the picture are.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvNorm(3, STEM, 3), ConvNorm(STEM, NARROW, 3, 2))
        self.residual1 = nn.Sequential(*(Bottleneck(NARROW) for _ in range(3)))
        self.transition1 = ConvNorm(NARROW, DENSE_IN, 3, 2)
        self.dense = nn.Sequential(*(DenseLayer(DENSE_IN + k * GROWTH) for k in range(DENSE_LAYERS)))
        self.transition2 = ConvNorm(DENSE_IN + DENSE_LAYERS * GROWTH, WIDE)
        self.shrink = nn.AvgPool2d(2)
        self.residual2 = nn.Sequential(*(Bottleneck(WIDE) for _ in range(3)))
        self.attention = nn.Sequential(*(AttentionBlock(WIDE) for _ in range(2)))
        self.norm = nn.LayerNorm(WIDE)
        self.fc = nn.Linear(WIDE, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) float32 in -1..1 -> (N, classes) float32 logits."""
        x = self.transition1(self.residual1(self.stem(x)))
        x = self.residual2(self.shrink(self.transition2(self.dense(x))))
        x = self.attention(x.flatten(2).transpose(1, 2))
        return self.fc(self.norm(x).mean(1))
