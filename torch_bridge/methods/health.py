"""Health: channels that are dead, duplicate, saturated or aliased, found over pictures of a data set.

A map is the share of pictures in which each position was active (above 0), mean_i [A_k(x_i)(y, x) > 0].

    dead        0 after the layer's ReLU, or constant, at every position of every picture
    duplicate   correlation of at least 0.99 with another channel, over positions of all pictures
    saturated   at least 0.9 of its values lie at the flat ends of its sigmoid, tanh, ReLU6, …
    aliased     more than half of the energy of its output, and of its kernel, is above the stride's Nyquist frequency;
                or more than half of its map's energy is a checkerboard

Dead units and aliasing: Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks"; the thresholds
are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..data import random_indices
from ..method_support.channel_health import LayerHealth, activation_limits
from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import Method, MethodContext, Step, parameter
from ..probing.aliasing import find_strided_conv
from ..recording import Maps, pack

PARTIAL_RESULTS_EVERY = 256
"""Pictures between two partial results."""


@dataclass(frozen=True)
class Parameters:
    """Which pictures are looked at."""

    count: int = parameter(256, "Pictures of the data set to look at", 1, 10_000_000)
    seed: int = parameter(0, "Seed that chooses the pictures", 0, 2**31 - 1)


def health(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Passes over the pictures once. Maps: (C, H, W) shares 0..1.

    Extras: "values" (C,) float32, the mean share; "flags" (C,) int32 bits of FLAGS; "peak" (C,) float32, 1: the upper
    end of the colour scale. Raises InputError without a data set, and ModelError.
    """
    yield Step(0.0, "reaching the layers")
    for id in context.layers:
        context.selected_channels(id)
    strides = {id: find_strided_conv(context.model, context.network, id) for id in context.layers}
    sources = [stride.source for stride in strides.values() if stride is not None and stride.source]
    data_set_pass = DataSetPass(context, [*context.layers, *sources], HEALTH.name)
    layers = {id: LayerHealth(id, activation_limits(context.network, id), strides[id]) for id in context.layers}
    data = data_set_pass.data
    indices = random_indices(data, min(parameters.count, len(data)), parameters.seed)
    message, shown = "", 0
    for batch in data_set_pass.batches(indices):
        for layer in layers.values():
            layer.add(batch)
        unreadable = f"; {batch.unreadable} can't be read" if batch.unreadable else ""
        message = f"{batch.done} of {len(indices)} pictures of {data.name}{unreadable}"
        is_due = batch.done - shown >= PARTIAL_RESULTS_EVERY
        shown = batch.done if is_due else shown
        yield Step(batch.done / len(indices), message, _maps(context, layers, data_set_pass) if is_due else ())
    yield Step(1.0, message, _maps(context, layers, data_set_pass))


def _maps(context: MethodContext, layers: Mapping[str, LayerHealth], data_set_pass: DataSetPass) -> tuple[Maps, ...]:
    """Returns the maps of the selected channels; all channels count when duplicates are looked for."""
    layouts = data_set_pass.forward.layouts
    return tuple(
        replace(_layer_maps(layer), **layouts[id].place()).only(context.channels) for id, layer in layers.items()
    )


def _layer_maps(layer: LayerHealth) -> Maps:
    shares = (layer.active.double() / layer.pictures).cpu().numpy().astype(np.float32)
    flags, labels = layer.findings()
    extras = {"values": shares.mean((1, 2)), "flags": flags, "peak": np.ones(len(shares), np.float32)}
    return Maps(layer.layer, HEALTH.name, pack(shares), len(shares), labels=labels, extras=extras)


HEALTH = Method(
    "health",
    "Health",
    "Channels that are dead, duplicate, saturated or aliased, over pictures of the data set.",
    health,
    Parameters,
    needs="data",
)
