"""CovidDenseNet: a densely connected network of 42 convolutions (Linse et al. 2022, after Huang et al. 2017).

Transitions have the widths of DenseNet-121, not half of what they read.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .residual_net import initialise

GROWTH, BOTTLENECK, STEM = 32, 128, 64
"""Channels that a dense layer adds, those of its first convolution, and those of the network's first one."""
BLOCKS, TRANSITIONS = (6, 10, 2, 1), (128, 256, 512)
"""Layers of each dense block, and channels of the transition after it."""


class BottleneckLayer(nn.Module):
    """A convolution of 1 × 1 and one of 3 × 3, each after norm and ReLU, whose maps are added to those it reads."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, BOTTLENECK, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(BOTTLENECK, GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + GROWTH, H, W)."""
        narrow = self.conv1(self.relu1(self.norm1(x)))
        return torch.cat([x, self.conv2(self.relu2(self.norm2(narrow)))], 1)


class Transition(nn.Module):
    """A convolution of 1 × 1 after norm and ReLU, then means of 2 × 2 pixels."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(channels, width, 1, bias=False)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, width, H / 2, W / 2), rounded down."""
        return self.pool(self.conv(self.relu(self.norm(x))))


class CovidDenseNet(nn.Module):
    """(N, 3, H, W) float32, normalised -> (N, classes) float32 logits; 180 × 250 pixels in the paper."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(3, STEM, 7, 2, 3, bias=False)
        self.norm0 = nn.BatchNorm2d(STEM)
        self.relu0 = nn.ReLU()
        self.pool0 = nn.MaxPool2d(3, 2, 1)
        channels, stages = STEM, []
        for number, count in enumerate(BLOCKS, 1):
            self.add_module(
                f"block{number}", nn.Sequential(*(BottleneckLayer(channels + GROWTH * k) for k in range(count)))
            )
            channels += GROWTH * count
            stages.append(f"block{number}")
            if number <= len(TRANSITIONS):
                self.add_module(f"transition{number}", Transition(channels, TRANSITIONS[number - 1]))
                channels = TRANSITIONS[number - 1]
                stages.append(f"transition{number}")
        self._stages = stages
        self.norm5 = nn.BatchNorm2d(channels)
        self.relu5 = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, classes)."""
        x = self.pool0(self.relu0(self.norm0(self.conv0(x))))
        for stage in self._stages:
            x = self.get_submodule(stage)(x)
        return self.fc(self.flatten(self.pool(self.relu5(self.norm5(x)))))
