"""The small residual networks that learn the `concepts` pictures: 16 convolutions in a stem and three stages."""

from __future__ import annotations

from torch import Tensor, nn

STEM = 12
WIDTHS = (24, 48, 72)
BLOCKS = 2


class Stem(nn.Module):
    """Full resolution, so that the first maps are as sharp as the picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 5, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.norm(self.conv(x)))


class Shortcut(nn.Module):
    """A 1x1 convolution where a block changes width and resolution."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, width, 1, stride, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2015, basic block)."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.shortcut = Shortcut(before, width, stride) if before != width or stride != 1 else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        return self.relu2(y + (x if self.shortcut is None else self.shortcut(x)))


class ConceptsNet(nn.Module):
    """(N, 3, 64, 64) in -1..1 -> (N, classes) logits; any other size works too.

    Global average pooling and one linear layer at the end, so that class activation maps are exact.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = Stem(STEM)
        before = STEM
        for number, width in enumerate(WIDTHS, 1):
            blocks = [ResidualBlock(before if k == 0 else width, width, 2 if k == 0 else 1) for k in range(BLOCKS)]
            self.add_module(f"stage{number}", nn.Sequential(*blocks))
            before = width
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))
        return self.fc(self.flatten(self.pool(x)))
