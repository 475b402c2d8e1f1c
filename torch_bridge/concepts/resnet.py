"""The small residual networks of the `concepts` pictures: 16 convolutions in a stem and three stages.

The attribute names are the layer ids of recordings and the tensor names of the weight files.
"""

from __future__ import annotations

from torch import Tensor, nn

STEM_CHANNELS = 12
STAGE_CHANNELS = (24, 48, 72)
BLOCKS_PER_STAGE = 2


class Stem(nn.Module):
    """One convolution at full resolution, so that the first maps are as sharp as the picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 5, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) float32 -> (N, channels, H, W)."""
        return self.relu(self.norm(self.conv(x)))


class Shortcut(nn.Module):
    """A 1x1 convolution, for blocks that change the number of channels or the resolution."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 1, stride, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) float32 -> (N, channels, H / stride, W / stride)."""
        return self.norm(self.conv(x))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: the basic block of He et al. 2015."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.relu2 = nn.ReLU()
        is_projected = in_channels != channels or stride != 1
        self.shortcut = Shortcut(in_channels, channels, stride) if is_projected else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) float32 -> (N, channels, H / stride, W / stride)."""
        y = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        return self.relu2(y + (x if self.shortcut is None else self.shortcut(x)))


class ConceptsNet(nn.Module):
    """(N, 3, 64, 64) float32 in -1..1 -> (N, classes) logits; other sizes work too.

    It ends with global average pooling and one linear layer, so that class activation maps are exact.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = Stem(STEM_CHANNELS)
        in_channels = STEM_CHANNELS
        for number, channels in enumerate(STAGE_CHANNELS, 1):
            blocks = [ResidualBlock(in_channels, channels, 2)]
            blocks += [ResidualBlock(channels, channels, 1) for _ in range(BLOCKS_PER_STAGE - 1)]
            self.add_module(f"stage{number}", nn.Sequential(*blocks))
            in_channels = channels
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(in_channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) float32 in -1..1 -> (N, classes) float32 logits."""
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))
        return self.fc(self.flatten(self.pool(x)))
