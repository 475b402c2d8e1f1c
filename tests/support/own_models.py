"""Networks of a user's own: what `package.module:factory` is for. Two are the shapes of real weights."""

import torch
from torch import nn
from torch.nn import functional as F


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU6())


class MobileNetV1(nn.Module):
    STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    WIDTHS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)

    def __init__(self, alpha: float = 0.5, classes: int = 1000) -> None:
        super().__init__()
        width = int(32 * alpha)
        self.features = nn.Sequential(conv_bn(3, width, 3, 2))
        for stride, wide in zip(self.STRIDES, self.WIDTHS, strict=True):
            wide = int(wide * alpha)
            self.features.append(nn.Sequential(conv_bn(width, width, 3, stride, width), conv_bn(width, wide, 1, 1)))
            width = wide
        self.classifier = nn.Linear(width, classes)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.more = outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.more:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more // 2))
        return F.relu(y + x)


class CifarResNet(nn.Module):
    def __init__(self, blocks: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        for k, (inputs, outputs) in enumerate(((16, 16), (16, 32), (32, 64))):
            rest = [Residual(outputs, outputs, 1) for _ in range(blocks - 1)]
            setattr(self, f"layer{k + 1}", nn.Sequential(Residual(inputs, outputs, 2 if k else 1), *rest))
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class LeNet5(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convnet = nn.Sequential()
        for name, layer in (
            ("c1", nn.Conv2d(1, 6, 5)), ("relu1", nn.ReLU()), ("s2", nn.MaxPool2d(2)),
            ("c3", nn.Conv2d(6, 16, 5)), ("relu3", nn.ReLU()), ("s4", nn.MaxPool2d(2)),
            ("c5", nn.Conv2d(16, 120, 5)), ("relu5", nn.ReLU()),
        ):  # fmt: skip
            self.convnet.add_module(name, layer)
        self.fc = nn.Sequential()
        for name, layer in (("f6", nn.Linear(120, 84)), ("relu6", nn.ReLU()), ("f7", nn.Linear(84, 10))):
            self.fc.add_module(name, layer)

    def forward(self, x):
        return self.fc(self.convnet(x).flatten(1))


class DcganGenerator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        shapes = ((64, 256, 3, 2), (256, 128, 4, 1), (128, 64, 3, 2))
        parts = [
            nn.Sequential(nn.ConvTranspose2d(i, o, kernel, stride), nn.BatchNorm2d(o), nn.ReLU())
            for i, o, kernel, stride in shapes
        ]
        self.gen = nn.Sequential(*parts, nn.Sequential(nn.ConvTranspose2d(64, 1, 4, 2), nn.Tanh()))

    def forward(self, z):
        return self.gen(z)


class Perceptron(nn.Module):
    """Takes (N, 784): a picture must be laid out as a row for it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(784, 16)
        self.last = nn.Linear(16, 10)

    def forward(self, x):
        return self.last(F.relu(self.first(x)))


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.words = nn.Embedding(50, 4)

    def forward(self, image, question):
        return self.conv(image).mean((2, 3)) + self.words(question).mean(1)


def small(channels: int = 3, classes: int = 4) -> nn.Module:
    parts = nn.Conv2d(channels, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(*parts, nn.Linear(8, classes))


def half(**arguments) -> nn.Module:
    return small(**arguments).to(torch.bfloat16)


def only_at_64() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten(), nn.Linear(2 * 64 * 64, 3))


def broken() -> nn.Module:
    raise ValueError("the depth must be a prime")


def leaving() -> nn.Module:
    raise SystemExit(7)


def no_module() -> dict:
    return {"layers": 3}


constant = 3
