"""What is made as large as it goes: a number for each of N pictures, from what a network makes of them.

Objectives are added, weighed and turned round: `channel(a, [3]) + 0.5 * channel(b, [7])`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from ..predictions.classes import class_scores
from ..probing.partial_forward import PartialResult

Rows = Sequence[int]
"""Which pictures of the batch a run has."""
Channels: TypeAlias = "Sequence[int] | Tensor"
"""A channel for each picture of the batch; or weights (C,) of all channels together, for every picture."""
LEAST_COSINE = 0.1
"""So that a picture that points away still has a way to go; as in tensorflow/lucid."""


@dataclass(frozen=True)
class Objective:
    """One number a picture."""

    score: Callable[[PartialResult, Rows], Tensor]
    """(n,) of the pictures of these rows."""
    whole: bool = False
    """Whether the network must answer, too."""

    def __add__(self, other: Objective) -> Objective:
        both = lambda reached, rows: self.score(reached, rows) + other.score(reached, rows)  # noqa: E731
        return Objective(both, self.whole or other.whole)

    def __mul__(self, weight: float) -> Objective:
        return Objective(lambda reached, rows: weight * self.score(reached, rows), self.whole)

    __rmul__ = __mul__


def channel(layer: str, channels: Channels) -> Objective:
    """The mean of a map."""
    return Objective(lambda reached, rows: _own(reached.maps[layer], channels, rows).mean((1, 2)))


def neuron(layer: str, channels: Channels, down: float = 0.5, across: float = 0.5) -> Objective:
    """One place of a map, at shares 0..1 of its sides."""

    def place(reached: PartialResult, rows: Rows) -> Tensor:
        maps = _own(reached.maps[layer], channels, rows)
        height, width = maps.shape[1:]
        return maps[:, min(int(down * height), height - 1), min(int(across * width), width - 1)]

    return Objective(place)


def logit(classes: Channels) -> Objective:
    """A class's score, before any softmax: that could rise by lowering others. Raises InputError without classes."""
    return Objective(lambda reached, rows: _own(class_scores(reached.output), classes, rows), whole=True)


def energy(layer: str) -> Objective:
    """All of a layer: the mean of its squares, as in DeepDream."""
    return _alone(lambda reached: reached.maps[layer].float().square().mean((1, 2, 3)))


def direction(layer: str, vector: Tensor, power: float = 0.0) -> Objective:
    """The mean over places of <vector, values>, times its cosine to this power, LEAST_COSINE at least."""

    def along(reached: PartialResult) -> Tensor:
        maps = reached.maps[layer].float()
        dot = torch.einsum("nchw,c->nhw", maps, vector)
        cosine = dot / (maps.norm(dim=1) * vector.norm()).clamp_min(1e-12)
        return (dot * cosine.clamp_min(LEAST_COSINE) ** power).mean((1, 2))

    return _alone(along)


def diversity(layer: str, samples: int) -> Objective:
    """Minus the mean cosine of Gram matrices of a layer's maps, between the samples that come one after another."""

    def apart(reached: PartialResult) -> Tensor:
        maps = reached.maps[layer].float().flatten(2)
        grams = F.normalize((maps @ maps.transpose(1, 2)).flatten(1), dim=1)
        grams = grams.unflatten(0, (-1, samples))
        cosines = grams @ grams.transpose(1, 2)
        others = (cosines.sum((1, 2)) - samples) / (samples * (samples - 1))
        return -others.repeat_interleave(samples)

    return _alone(apart)


def _own(values: Tensor, numbers: Channels, rows: Rows) -> Tensor:
    """(n, C, …) -> (n, …) float32: of each picture what it is about."""
    if isinstance(numbers, Tensor):
        return torch.tensordot(values.float(), numbers, ([1], [0]))
    return values[range(len(rows)), [numbers[row] for row in rows]].float()


def _alone(number: Callable[[PartialResult], Tensor]) -> Objective:
    return Objective(lambda reached, rows: number(reached))
