"""Health: channels of a network that say nothing, the same as another, too little, or what isn't in the picture.

A map is the share of pictures in which a place was active, above 0: black is never, full is always.

    dead        0 behind the layer's ReLU, or the same value, at every place of every picture
    duplicate   a correlation of 0.99 or more with another channel, over places of all pictures
    saturated   at least 0.9 of its answers lie at the flat ends of its sigmoid, tanh, ReLU6, …
    aliased     its stride folds more than half of the energy of its answer, and of its kernel's; or more than half of
                its map is a pattern that repeats every second place
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..data import random_indices
from ..method_support.channel_health import LayerHealth, activation_limits
from ..method_support.dataset_pass import DatasetPass
from ..method_support.method import Method, MethodContext, Step, parameter
from ..probing.aliasing import find_strided_conv
from ..recording import Maps, pack

SHOWN = 256
"""Pictures between two partial results."""


@dataclass(frozen=True)
class Parameters:
    """Which pictures."""

    count: int = parameter(256, "Pictures of the data set that are looked at", 1, 10_000_000)
    seed: int = parameter(0, "Which pictures: another seed draws others", 0, 2**31 - 1)


def health(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """One pass over the pictures. Raises InputError without a data set, and ModelError."""
    yield Step(0.0, "reaching the layers")
    for id in work.layers:
        work.chosen(id)
    strides = {id: find_strided_conv(work.model, work.network, id) for id in work.layers}
    sources = [one.source for one in strides.values() if one is not None and one.source]
    viewing = DatasetPass(work, [*work.layers, *sources], HEALTH.name)
    checkups = {id: LayerHealth(id, activation_limits(work.network, id), strides[id]) for id in work.layers}
    indices = random_indices(viewing.data, min(parameters.count, len(viewing.data)), parameters.seed)
    told, shown = "", 0
    for view in viewing.views(indices):
        for checkup in checkups.values():
            checkup.add(view)
        unread = f"; {view.unread} can't be read" if view.unread else ""
        told = f"{view.done} of {len(indices)} pictures of {viewing.data.name}{unread}"
        found = view.done - shown >= SHOWN
        shown = view.done if found else shown
        yield Step(view.done / len(indices), told, tuple(map(_maps, checkups.values())) if found else ())
    yield Step(1.0, told, tuple(map(_maps, checkups.values())))


def _maps(checkup: LayerHealth) -> Maps:
    shares = (checkup.active.double() / checkup.pictures).cpu().numpy().astype(np.float32)
    flags, labels = checkup.findings()
    extras = {"values": shares.mean((1, 2)), "flags": flags, "peak": np.ones(len(shares), np.float32)}
    return Maps(checkup.layer, HEALTH.name, pack(shares), len(shares), labels=labels, extras=extras)


HEALTH = Method(
    "health", "Health", "Channels that are dead, duplicates, saturated or aliased, over pictures of the data set.",
    health, Parameters, needs="data",
)  # fmt: skip
