"""Ablation: chosen channels are set to 0 as soon as their layer has finished, so every later layer reads 0.

A brush changes channels at some places of their maps only, by strokes, to 0 or to the value that they have where they
are active.

`record` takes the ablation as an argument. Methods need no such argument: a PartialForward uses the ablation that
`use_ablation` has set for the current thread.
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
from ..recording.channels import check_channels
from ..recording.errors import InputError
from .strokes import Stroke, paint_strokes
from .values.map_layout import MapLayout

ChannelsByLayer = Mapping[str, Sequence[int]]
"""Channel numbers by layer id, as a person writes them; not yet checked."""


@dataclass(frozen=True)
class Ablation:
    """Channels of a network that are set to 0; all of them exist."""

    channels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Channel numbers by the id of the layer whose values are changed; ids and numbers are sorted."""
    strokes: Mapping[str, tuple[Stroke, ...]] = field(default_factory=dict)
    """Strokes by the id of the layer, in the order in which they are painted, after the channels are set to 0."""

    @classmethod
    def resolve(cls, network: Network, request: ChannelsByLayer) -> Ablation:
        """Checks the requested channels. A panel's id stands for the layer whose maps the panel shows.

        Raises UnknownName or InputError.
        """
        if not isinstance(request, Mapping) or not all(map(_are_numbers, request.values())):
            raise InputError('ablate: an object such as {"conv1": [0, 5]} is needed, layers with numbers of channels')
        found: dict[str, set[int]] = {}
        for id, channels in request.items():
            shown = network.layer(network.layer(id).shows or id)
            if shown.role in ("input", "output") or 0 in shown.map_shape:
                raise InputError(f"layer {id} has no channels that could be ablated")
            check_channels(network, id, channels)
            found.setdefault(shown.id, set()).update(channels)
        return cls({id: tuple(sorted(found[id])) for id in sorted(found) if found[id]})

    @property
    def layers(self) -> set[str]:
        """Ids of all layers whose values are changed."""
        return {*self.channels, *self.strokes}

    def apply(self, id: str, value: torch.Tensor, layout: MapLayout) -> None:
        """Changes the output of a layer of `layers` in place; value: its tensor, of any shape and dtype."""
        zero_channels(value, layout, self.channels.get(id, ()))
        if id in self.strokes:
            paint_strokes(value, layout, self.strokes[id])

    def strokes_as_json(self) -> list[dict[str, Any]]:
        """Returns the strokes as plain JSON values, layer by layer."""
        return [stroke.as_json(id) for id, strokes in self.strokes.items() for stroke in strokes]

    def as_json(self) -> dict[str, list[int]]:
        """Returns the channels by layer as plain JSON values."""
        return {id: list(channels) for id, channels in self.channels.items()}


def _are_numbers(channels: Any) -> bool:
    return isinstance(channels, Sequence) and all(type(channel) is int for channel in channels)


NO_ABLATION = Ablation()
_current: ContextVar[Ablation] = ContextVar("ablation", default=NO_ABLATION)


@contextmanager
def use_ablation(ablation: Ablation) -> Iterator[None]:
    """Makes `ablation` the current one of this thread inside the `with` block."""
    token = _current.set(ablation)
    try:
        yield
    finally:
        _current.reset(token)


def current_ablation() -> Ablation:
    """Returns the ablation that `use_ablation` has set in this thread, or NO_ABLATION."""
    return _current.get()


def zero_channels(value: torch.Tensor, layout: MapLayout, channels: Sequence[int]) -> None:
    """Sets channels of a layer's output to 0 in place, and the gradients that reach them too.

    value: the layer's tensor, of any shape and dtype. All inputs of a batch, windows and special tokens are set.
    """
    if not channels:
        return
    _zero(value.data, layout, channels)  # not through autograd, for which some operations keep their output
    if value.requires_grad:
        value.register_hook(lambda gradient: _zero(gradient.clone(), layout, channels))


def _zero(value: torch.Tensor, layout: MapLayout, channels: Sequence[int]) -> torch.Tensor:
    with torch.no_grad(), torch.inference_mode(value.is_inference()):
        for channel in channels:
            channel_values(value, layout, channel).zero_()
    return value


def channel_values(value: torch.Tensor, layout: MapLayout, channel: int) -> torch.Tensor:
    """Returns all values of one channel as a view of a layer's tensor, which may have any shape and dtype.

    Where the layer's tokens are drawn as a single map, the view covers all tokens.
    """
    axes, sizes = _channel_axes(value, layout)
    return value.movedim(axes, tuple(range(len(axes))))[tuple(map(int, np.unravel_index(channel, sizes)))]


def values_by_channel(value: torch.Tensor, layout: MapLayout) -> torch.Tensor:
    """Returns (C, n): all values of each channel of a layer's tensor, in the tensor's dtype."""
    axes, _ = _channel_axes(value, layout)
    return value.movedim(axes, tuple(range(len(axes)))).reshape(layout.map_shape[0], -1)


def _channel_axes(value: torch.Tensor, layout: MapLayout) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the axes that enumerate a layer's channels, and their sizes."""
    batch = layout.batch_axis
    axes = [axis + (batch is not None and axis >= batch) for axis in layout.axis_order]
    sizes = [value.shape[axis] for axis in axes]
    depth = next(n for n in range(len(sizes) + 1) if math.prod(sizes[:n]) == layout.map_shape[0])
    return tuple(axes[:depth]), tuple(sizes[:depth])
