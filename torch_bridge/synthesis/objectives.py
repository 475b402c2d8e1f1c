"""Objectives of activation maximisation: one number for each of N pictures, computed from a run of the network.

Objectives can be added, weighted and negated: `channel(a, [3]) + 0.5 * channel(b, [7])`.
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

PictureIndices = Sequence[int]
"""Indices in the batch of the pictures of a run."""
Channels: TypeAlias = "Sequence[int] | Tensor"
"""A channel for each picture of the batch; or weights (C,) of all channels together, for every picture."""
MIN_COSINE = 0.1
"""Least cosine, so that a picture in the opposite direction still has a gradient; as in tensorflow/lucid."""


@dataclass(frozen=True)
class Objective:
    """A number for each picture."""

    score: Callable[[PartialResult, PictureIndices], Tensor]
    """Returns (n,) float32 for the pictures with these indices, differentiable."""
    needs_output: bool = False
    """Whether the run must reach the network's answer."""

    def __add__(self, other: Objective) -> Objective:
        def score(result: PartialResult, picture_indices: PictureIndices) -> Tensor:
            return self.score(result, picture_indices) + other.score(result, picture_indices)

        return Objective(score, self.needs_output or other.needs_output)

    def __mul__(self, weight: float) -> Objective:
        return Objective(
            lambda result, picture_indices: weight * self.score(result, picture_indices), self.needs_output
        )

    __rmul__ = __mul__


def channel(layer: str, channels: Channels) -> Objective:
    """The mean of a channel's map."""
    return Objective(
        lambda result, picture_indices: _select(result.maps[layer], channels, picture_indices).mean((1, 2))
    )


def neuron(layer: str, channels: Channels, down: float = 0.5, across: float = 0.5) -> Objective:
    """One position of a channel's map, at shares 0..1 of its height and width."""

    def score(result: PartialResult, picture_indices: PictureIndices) -> Tensor:
        maps = _select(result.maps[layer], channels, picture_indices)
        height, width = maps.shape[1:]
        return maps[:, min(int(down * height), height - 1), min(int(across * width), width - 1)]

    return Objective(score)


def logit(classes: Channels) -> Objective:
    """A class's score before any softmax, which could also rise by lowering the others. Raises InputError."""
    return Objective(
        lambda result, picture_indices: _select(class_scores(result.output), classes, picture_indices),
        needs_output=True,
    )


def energy(layer: str) -> Objective:
    """The mean square of all values of a layer, as in DeepDream."""
    return _ignoring_indices(lambda result: result.maps[layer].float().square().mean((1, 2, 3)))


def direction(layer: str, vector: Tensor, power: float = 0.0) -> Objective:
    """The mean over positions of <vector, A> cos(vector, A)^power; vector: (C,), the cosine is at least MIN_COSINE."""

    def score(result: PartialResult) -> Tensor:
        maps = result.maps[layer].float()
        dot = torch.einsum("nchw,c->nhw", maps, vector)
        cosine = dot / (maps.norm(dim=1) * vector.norm()).clamp_min(1e-12)
        return (dot * cosine.clamp_min(MIN_COSINE) ** power).mean((1, 2))

    return _ignoring_indices(score)


def diversity(layer: str, samples: int) -> Objective:
    """Minus the mean cosine between the Gram matrices of a layer's maps, over groups of `samples` pictures."""

    def score(result: PartialResult) -> Tensor:
        maps = result.maps[layer].float().flatten(2)
        grams = F.normalize((maps @ maps.transpose(1, 2)).flatten(1), dim=1)
        grams = grams.unflatten(0, (-1, samples))
        cosines = grams @ grams.transpose(1, 2)
        others = (cosines.sum((1, 2)) - samples) / (samples * (samples - 1))
        return -others.repeat_interleave(samples)

    return _ignoring_indices(score)


def _select(values: Tensor, channels: Channels, picture_indices: PictureIndices) -> Tensor:
    """(n, C, …) -> (n, …) float32: each picture's own channel, or the weighted sum of channels."""
    if isinstance(channels, Tensor):
        return torch.tensordot(values.float(), channels, ([1], [0]))
    return values[range(len(picture_indices)), [channels[index] for index in picture_indices]].float()


def _ignoring_indices(score: Callable[[PartialResult], Tensor]) -> Objective:
    return Objective(lambda result, picture_indices: score(result))
