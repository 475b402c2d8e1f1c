"""Networks of a user's own that a bridge of the tests serves; files in its folder make them wait."""

import time
from pathlib import Path

import torch
from torch import nn

HOLD, REACHED = (Path(__file__).with_name(name) for name in ("hold", "reached"))
PATIENCE = 60.0


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def wait() -> None:
    """Wait while the file `hold` exists; a number in it lets so many runs pass first."""
    try:
        left = int(HOLD.read_text() or 0)
    except (FileNotFoundError, ValueError):
        return
    if left:
        HOLD.write_text(str(left - 1))
        return
    REACHED.touch()
    end = time.monotonic() + PATIENCE
    while HOLD.exists() and time.monotonic() < end:
        time.sleep(0.002)


class Gated(nn.Module):
    """Waits before its last layer while the file `hold` exists."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.norm, self.b, self.c = conv(3, 5), nn.BatchNorm2d(5), conv(5, 6), nn.Linear(6, 4)

    def forward(self, x):
        y = self.b(self.norm(self.a(x)).relu()).relu()
        wait()
        time.sleep(0.005)
        return self.c(y.mean((2, 3)))


class Windowed(nn.Module):
    """A convolution on each of the four windows of a picture, which lie in the batch axis."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.inside, self.head = conv(3, 4), conv(4, 5), nn.Linear(5, 4)

    def forward(self, x):
        y = self.stem(x).relu()
        n, c, h, w = y.shape
        windows = y.reshape(n, c, 2, h // 2, 2, w // 2).permute(0, 2, 4, 1, 3, 5).reshape(-1, c, h // 2, w // 2)
        return self.head(self.inside(windows).mean((2, 3)).reshape(n, 4, -1).mean(1))


class Moody(nn.Module):
    """Raises after its first layer at a dark input, takes another path at a bright one."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.other = conv(3, 4), conv(4, 4), conv(4, 6)

    def forward(self, x):
        y = self.a(x)
        if x.mean() < -1.5:
            raise ValueError("too dark\nfor me")
        return self.b(y) if x.mean() < 1.5 else self.other(self.other.weight.sum() * 0 + y)


class Slow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        time.sleep(0.02)
        return self.b(self.a(x).mean((2, 3)))


torch.set_num_threads(1)


class Painter(nn.Module):
    """A generator whose unit k of layer `units` paints colour k: bars that a code (N, 3) moves, one below another.

    A bar of unit k is 3 of 12 columns wide and 4 of 12 rows high; positive numbers move it to the right.
    """

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Linear(3, 3, bias=False)
        self.read.weight.data = torch.eye(3)
        self.units = nn.Conv2d(3, 3, 1, bias=False)
        self.units.weight.data = torch.eye(3)[:, :, None, None]
        self.enlarge = nn.ConvTranspose2d(3, 3, 2, 2, groups=3)
        self.enlarge.weight.data.fill_(2)
        self.enlarge.bias.data.fill_(-1)

    def bars(self, code):
        """Returns (N, 3, 12, 12): 1 where the bar of a unit is."""
        columns, rows = torch.arange(12)[None, None, None], torch.arange(12)[None, None, :, None]
        left = (4 + 2 * self.read(code).clamp(-2, 2)).round()[:, :, None, None]
        own = rows // 4 == torch.arange(3)[None, :, None, None]
        return ((columns >= left) & (columns < left + 3) & own).float()

    def forward(self, code):
        return self.enlarge(self.units(self.bars(code)))


class FlawedPainter(Painter):
    """The same, but unit 2 paints only in pictures whose third number is positive."""

    def bars(self, code):
        shown = torch.ones(len(code), 3)
        shown[:, 2] = (code[:, 2] > 0).float()
        return super().bars(code) * shown[:, :, None, None]


class PainterSegmenter(nn.Module):
    """Says of every pixel of a picture (N, 3, H, W) in -1..1 which colour it has: none, red, green or blue."""

    def __init__(self) -> None:
        super().__init__()
        self.classify = nn.Conv2d(3, 4, 1)
        self.classify.weight.data = torch.cat((torch.zeros(1, 3), 4 * torch.eye(3)))[:, :, None, None]
        self.classify.bias.data.zero_()

    def forward(self, picture):
        return self.classify(picture)


class NanSegmenter(PainterSegmenter):
    """Scores everything NaN."""

    def forward(self, picture):
        return super().forward(picture) * float("nan")
