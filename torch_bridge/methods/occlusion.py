"""Occlusion: how much each channel loses when a patch of the input is hidden, a pixel for each place of the patch.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2, for every channel at once:
the fall of the channel's spatial mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..recording import Maps, Recording, pack
from .method import Method, Step, Work, activations_of, parameter


@dataclass(frozen=True)
class Parameters:
    """The patch and its places."""

    places: int = parameter(8, "Places of the patch along each side", 2, 64)
    size: float = parameter(0.2, "Side of the patch, as a share of the input's side", 0.01, 1.0)
    value: float = parameter(0.0, "What the patch is filled with, in the network's own numbers", -1e6, 1e6)


def occlusion(work: Work, parameters: Parameters) -> Iterator[Step]:
    """A run a place, row by row; a row is shown as soon as it is done. Raises InputError for an input without sides."""
    listed = isinstance(work.arguments[0], list)  # as detection networks take pictures
    picture = work.arguments[0][0] if listed else work.arguments[0]
    if not isinstance(picture, torch.Tensor) or picture.dim() < 4 - listed:
        raise InputError("occlusion hides a patch of a picture; this network's first input is none")
    whole, side = _means(work.record(work.arguments, work.layers)), parameters.places
    lost = {id: np.zeros((len(means), side, side), np.float32) for id, means in whole.items()}
    for row in range(side):
        for column in range(side):
            hidden = _hidden(picture, row / (side - 1), column / (side - 1), parameters)
            first = [hidden] if listed else hidden
            means = _means(work.record((first, *work.arguments[1:]), work.layers))
            for id, before in whole.items():
                lost[id][:, row, column] = before - means[id]
            done = (row * side + column + 1) / side**2
            yield Step(done, f"place {row * side + column + 1} of {side**2}", _maps(lost) if column == side - 1 else ())


def _hidden(picture: torch.Tensor, down: float, right: float, parameters: Parameters) -> torch.Tensor:
    """A copy with the patch at these shares, 0..1, of the way across."""
    sides = [max(1, round(parameters.size * length)) for length in picture.shape[-2:]]
    rows, columns = (
        slice(start := round(at * (length - side)), start + side)
        for at, length, side in zip((down, right), picture.shape[-2:], sides, strict=True)
    )
    copy = picture.clone()
    copy[..., rows, columns] = parameters.value
    return copy


def _means(recording: Recording) -> Mapping[str, np.ndarray]:
    """(C,) the mean of each channel, by layer."""
    found: dict[str, Any] = {}
    for maps in activations_of(recording):
        found[maps.layer] = maps.texels.mean((1, 2)).reshape(-1)[: maps.channels]
    return found


def _maps(lost: Mapping[str, np.ndarray]) -> tuple[Maps, ...]:
    return tuple(Maps(id, OCCLUSION.name, pack(one), len(one), frame="input") for id, one in lost.items())


OCCLUSION = Method(
    "occlusion", "Occlusion", "How much each channel loses when a patch of the input is hidden.", occlusion, Parameters
)
