"""Scores of classes in a network's output, names of classes, and the layer whose channels are classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..recording import Network
from ..recording.errors import InputError, UnknownName
from .class_names import ClassNames

PREDICTED = -1
"""Stands for the class with the highest score."""


@dataclass(frozen=True)
class ScoredClass:
    """A class and its probability for an input."""

    index: int
    name: str
    probability: float
    """The probability, 0..1."""


def class_scores(output: torch.Tensor | None) -> torch.Tensor:
    """The scores in a network's output, (N, classes), unchanged. Raises InputError if the output isn't of that kind."""
    shape = () if output is None else tuple(output.shape)
    if output is None or len(shape) not in (2, 4) or max(shape[2:], default=1) > 1 or shape[1] < 2:
        what = "has no plain tensor" if output is None else f"has shape {shape}"
        raise InputError(f"the network's output {what}; class scores (N, classes) are needed")
    return output.flatten(1)


def find_class(scores: torch.Tensor, number: int, names: ClassNames, *, independent: bool = False) -> ScoredClass:
    """The class of this number for the first input, or the most probable one for PREDICTED. Raises UnknownName.

    scores: (N, classes), before a final softmax or sigmoid. independent: whether a sigmoid gives each class a
    probability of its own.
    """
    first = scores[0].detach().float()
    if not -1 <= number < len(first):
        raise UnknownName("class", str(number), [f"{PREDICTED} to {len(first) - 1}"])
    index = int(first.nan_to_num(nan=-torch.inf).argmax()) if number == PREDICTED else number
    probability = probabilities(first[None], independent=independent)[0, index]
    return ScoredClass(index, names.of(len(first))[index], float(probability))


def probabilities(scores: torch.Tensor, *, independent: bool = False) -> torch.Tensor:
    """Scores, (N, classes), as probabilities 0..1; unchanged if they are probabilities already.

    independent: whether a sigmoid gives each class a probability of its own.
    """
    if independent:
        return scores.sigmoid()
    are_probabilities = bool((scores >= 0).all()) and bool(((scores.sum(1) - 1).abs() < 1e-3).all())
    return scores if are_probabilities else scores.softmax(1)


def class_layer(network: Network, classes: int) -> str:
    """The last layer with a channel for each class, if possible one that a panel shows. Raises InputError."""
    candidates = [layer for layer in network.layers if layer.map_shape[0] == classes]
    candidates = [layer for layer in candidates if layer.role not in ("input", "output")]
    shown = [layer.shows for layer in candidates if layer.role == "panel"]
    if not candidates:
        raise InputError(f"no layer of the network has a channel for each of its {classes} classes")
    return shown[-1] if shown else candidates[-1].id
