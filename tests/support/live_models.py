"""Small networks of a user's own that a bridge serves: one that can be stopped on its way, some that change or fail."""

import threading

import torch
from torch import nn

GATE, REACHED = threading.Event(), threading.Event()
GATE.set()
FAILURES = {
    "raises": lambda: ValueError("seven is\nnot prime"),
    "leaves": lambda: SystemExit(3),
    "device full": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    "host full": lambda: RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
    "no memory": lambda: MemoryError(),
    "connection": lambda: ConnectionResetError("the model's own"),
    "time": lambda: TimeoutError("the model's own"),
}
FAILS = [""]


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Gated(nn.Module):
    """Its last layer sets REACHED and waits for GATE."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(3, 5), conv(5, 6), conv(6, 3)

    def forward(self, x):
        y = self.b(self.a(x).relu())
        REACHED.set()
        assert GATE.wait(20)
        return self.c(y.relu())


class Forks(nn.Module):
    """The input decides which layers run, and how often."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.yes, self.no = conv(3, 4), conv(4, 4), conv(4, 4)

    def forward(self, x):
        y = self.a(x)
        if x.mean() > 0:
            return self.yes(y)
        return self.no(self.no(y))


class Detects(nn.Module):
    """Takes a list of pictures and answers like torchvision's detection networks."""

    def __init__(self) -> None:
        super().__init__()
        self.a = conv(3, 4)

    def forward(self, images):
        y = self.a(images[0][None])
        boxes = torch.tensor([[1.0, 2.0, 10.0, 12.0], [0.0, 0.0, 4.0, 4.0]])
        return [{"boxes": boxes, "labels": torch.tensor([1, 0]), "scores": y.mean().sigmoid().expand(2)}]


class Names(nn.Module):
    """Returns a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), nn.Linear(4, 5)

    def forward(self, x):
        y = self.a(x)
        return {"features": y, "logits": self.b(y.mean((2, 3)))}


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = conv(3, 4), conv(3, 4)

    def forward(self, first, second):
        return (self.left(first) * self.right(second)).mean((2, 3))


class Odd(nn.Module):
    """Returns maps with infinity and NaN."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 6), conv(6, 4)

    def forward(self, x):
        y = self.a(x)
        marks = torch.zeros_like(y)
        marks[:, 1, 0, 0], marks[:, 2, :2] = float("inf"), float("nan")
        return self.b(y + marks)


class Fails(nn.Module):
    """Fails as FAILS names."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), conv(4, 2)

    def forward(self, x):
        y = self.a(x)
        if FAILS[0]:
            raise FAILURES[FAILS[0]]()
        return self.b(y)


class Grey(nn.Module):
    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.a, self.b = conv(channels, 2), nn.Linear(2, 3)

    def forward(self, x):
        return self.b(self.a(x).mean((2, 3)))


class Vector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(12, 3)

    def forward(self, x):
        return self.a(x)
