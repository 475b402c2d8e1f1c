"""Networks that differ in the inputs they take: tokens, masks by name, sounds, rows of numbers."""

from torch import nn


class Masked(nn.Module):
    """Takes tokens (N, L) and a mask of the same shape by position, and a factor (N,) by name only."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 5)

    def forward(self, ids, mask, *, scale):
        kept = mask.unsqueeze(-1)
        return (self.table(ids) * kept).sum(1) / kept.sum(1) * scale


class Unsqueezing(nn.Module):
    """Takes sounds (N, L), and adds the axis of channels itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 10, 5)

    def forward(self, sound):
        if sound.ndim != 2:
            raise ValueError("a batch of sounds is needed")
        return self.conv(sound[:, None]).mean(2)


class Pooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 5)

    def forward(self, ids):
        return self.table(ids).mean(1)


def tokens() -> nn.Module:
    return Pooled()


def rows() -> nn.Module:
    return nn.Linear(4, 3)


def waves() -> nn.Module:
    return nn.Sequential(nn.Conv1d(1, 4, 10, 5), nn.AdaptiveAvgPool1d(1), nn.Flatten())


def pictures() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
