"""Which class of a network is meant, where its score is in the answer, and on which panel the classes are."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..recording import Network
from ..recording.errors import InputError, UnknownName
from .class_names import ClassNames

PREDICTED = -1


@dataclass(frozen=True)
class Class:
    """One class of a network."""

    index: int
    name: str
    probability: float
    """0..1, for the input that is looked at."""


def class_scores(output: torch.Tensor | None) -> torch.Tensor:
    """(N, classes): the scores in a network's answer, as they are. Raises InputError where it names no classes."""
    shape = () if output is None else tuple(output.shape)
    if output is None or len(shape) not in (2, 4) or max(shape[2:], default=1) > 1 or shape[1] < 2:
        raise InputError(f"the network answers with shape {shape}, not with scores of classes; choose channels instead")
    return output.flatten(1)


def find_class(scores: torch.Tensor, of_class: int, names: ClassNames) -> Class:
    """The class of this number, of the first input; PREDICTED: the one with the highest score. Raises UnknownName."""
    found = scores[0].detach().float()
    if not -1 <= of_class < len(found):
        raise UnknownName("class", str(of_class), [f"{PREDICTED} to {len(found) - 1}"])
    index = int(found.nan_to_num(nan=-torch.inf).argmax()) if of_class == PREDICTED else of_class
    return Class(index, names.of(len(found))[index], float(probabilities(found[None])[0, index]))


def probabilities(scores: torch.Tensor) -> torch.Tensor:
    """(N, classes) 0..1: scores as probabilities, unless they are some already."""
    already = bool((scores >= 0).all()) and bool(((scores.sum(1) - 1).abs() < 1e-3).all())
    return scores if already else scores.softmax(1)


def class_layer(network: Network, classes: int) -> str:
    """The last layer with a channel for each class, one that a panel shows if there is any. Raises InputError."""
    fitting = [one for one in network.layers if one.map_shape[0] == classes and one.role not in ("input", "output")]
    shown = [one.shows for one in fitting if one.role == "panel"]
    if not fitting:
        raise InputError(f"no layer of the network has a channel for each of its {classes} classes")
    return shown[-1] if shown else fitting[-1].id
