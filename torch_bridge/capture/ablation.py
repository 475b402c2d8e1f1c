"""Channels that are taken away: their values are 0 from the moment their layer has finished, whoever reads them.

A recording is given its ablation. Methods needn't know of one: what reaches into a network takes the one that is held
while their step runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..recording import Network
from ..recording.errors import InputError
from .values.map_layout import MapLayout

ChannelsByLayer = Mapping[str, Sequence[int]]
"""By layer: numbers of channels, as a person says them."""


@dataclass(frozen=True)
class Ablation:
    """Channels of a network, each known to be there."""

    channels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By the id of the layer whose values are 0, ids and numbers in order."""

    @classmethod
    def of(cls, network: Network, asked: ChannelsByLayer) -> Ablation:
        """What is meant: a panel stands for the layer whose maps it shows. Raises UnknownName or InputError."""
        if not isinstance(asked, Mapping) or not all(map(_are_numbers, asked.values())):
            raise InputError('ablate: an object such as {"conv1": [0, 5]} is needed, layers with numbers of channels')
        found: dict[str, set[int]] = {}
        for id, channels in asked.items():
            shown = network.layer(network.layer(id).shows or id)
            if shown.role in ("input", "output") or 0 in shown.map_shape:
                raise InputError(f"layer {id} has no channels that could be ablated")
            wrong = [one for one in channels if not 0 <= one < shown.map_shape[0]]
            if wrong:
                raise InputError(
                    f"layer {id} has channels 0 to {shown.map_shape[0] - 1}; there is no channel {wrong[0]}"
                )
            found.setdefault(shown.id, set()).update(channels)
        return cls({id: tuple(sorted(found[id])) for id in sorted(found) if found[id]})

    def plain(self) -> dict[str, list[int]]:
        """As plain JSON values."""
        return {id: list(channels) for id, channels in self.channels.items()}


def _are_numbers(channels: Any) -> bool:
    return isinstance(channels, Sequence) and all(type(one) is int for one in channels)


NO_ABLATION = Ablation()
_held: ContextVar[Ablation] = ContextVar("ablation", default=NO_ABLATION)


@contextmanager
def use_ablation(ablation: Ablation) -> Iterator[None]:
    """In this thread, what reaches into a network finds it ablated so."""
    token = _held.set(ablation)
    try:
        yield
    finally:
        _held.reset(token)


def current_ablation() -> Ablation:
    """What is ablated while this runs."""
    return _held.get()


def zero_channels(value: torch.Tensor, made: MapLayout, channels: Sequence[int]) -> None:
    """Make channels of a layer's tensor 0 in place, in all of a batch, in windows and special tokens; gradients too."""
    _zero(value.data, made, channels)  # not through autograd, for which some operations keep their output
    if value.requires_grad:
        value.register_hook(lambda gradient: _zero(gradient.clone(), made, channels))


def _zero(value: torch.Tensor, made: MapLayout, channels: Sequence[int]) -> torch.Tensor:
    with torch.no_grad(), torch.inference_mode(value.is_inference()):
        for channel in channels:
            channel_values(value, made, channel).zero_()
    return value


def channel_values(value: torch.Tensor, made: MapLayout, channel: int) -> torch.Tensor:
    """All values of a channel in a layer's tensor, as a view; all there are of tokens that are one map."""
    front, sizes = _front(value, made)
    return value.movedim(front, tuple(range(len(front))))[tuple(map(int, np.unravel_index(channel, sizes)))]


def values_by_channel(value: torch.Tensor, made: MapLayout) -> torch.Tensor:
    """(C, n): all values of each channel in a layer's tensor."""
    front, _ = _front(value, made)
    return value.movedim(front, tuple(range(len(front)))).reshape(made.map_shape[0], -1)


def _front(value: torch.Tensor, made: MapLayout) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that number a layer's channels, and their sizes."""
    axes = [axis + (made.batch is not None and axis >= made.batch) for axis in made.order]
    sizes = [value.shape[axis] for axis in axes]
    depth = next(n for n in range(len(sizes) + 1) if math.prod(sizes[:n]) == made.map_shape[0])
    return tuple(axes[:depth]), tuple(sizes[:depth])
