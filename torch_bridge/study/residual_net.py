"""CovidResNet: a residual network of 14 convolutions (Linse et al. 2022, after He et al. 2015)."""

from __future__ import annotations

from torch import Tensor, nn

from ..concepts.resnet import ResidualBlock

WIDTHS, BLOCKS = (64, 128, 256, 512), (2, 1, 1, 1)
"""Channels and blocks of each layer."""


class CovidResNet(nn.Module):
    """(N, 3, H, W) float32, normalised -> (N, classes) float32 logits; 150 × 175 pixels in the paper."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 7, 2, 3, bias=False)
        self.norm1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = WIDTHS[0]
        for number, (width, count) in enumerate(zip(WIDTHS, BLOCKS, strict=True), 1):
            blocks = [ResidualBlock(before, width, 1 if number == 1 else 2)]
            blocks += [ResidualBlock(width, width, 1) for _ in range(count - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            before = width
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(before, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, classes)."""
        x = self.maxpool(self.relu(self.norm1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.flatten(self.pool(x)))


def initialise(model: nn.Module) -> None:
    """Gives all convolutions the initial weights of He et al. 2015; other layers keep those of torch."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
