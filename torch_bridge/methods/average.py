"""Average: the mean activation map of each channel over pictures x_i of a data set, (1 / n) sum_i A_k(x_i)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..data import random_indices
from ..method_support.method import Method, MethodContext, Step, activation_maps, parameter
from ..recording import Maps
from ..recording.errors import InputError

PARTIAL_RESULTS_EVERY = 8
"""Pictures between two partial results."""


@dataclass(frozen=True)
class Parameters:
    """Which pictures of the data set are averaged over."""

    count: int = parameter(64, "Pictures to average over", 1, 1_000_000)
    seed: int = parameter(0, "Seed that chooses the pictures", 0, 2**31 - 1)


def average(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Adds up maps in float64, picture by picture. Maps: (C, H, W) in the layer's own units, the mean so far.

    Raises InputError without a data set.
    """
    if context.data is None:
        raise InputError("average needs a data set; choose one, or name one when the bridge starts")
    indices = random_indices(context.data, min(parameters.count, len(context.data)), parameters.seed)
    sums: dict[str, np.ndarray] = {}
    latest: dict[str, Maps] = {}
    for done, index in enumerate(indices, 1):
        recording = context.record(context.arguments_from_picture(context.data.picture(index)), context.layers)
        for maps in activation_maps(recording):
            total = sums.setdefault(maps.layer, np.zeros(maps.texels.shape))
            if total.shape != maps.texels.shape:
                raise InputError(
                    f"layer {maps.layer} has maps of different sizes for different pictures; use pictures of one size"
                )
            total += maps.texels
            latest[maps.layer] = maps
        is_due = done % PARTIAL_RESULTS_EVERY == 0 or done == len(indices)
        means = [_mean(latest[id], sums[id], done).only(context.channels) for id in sums] if is_due else ()
        yield Step(done / len(indices), f"{done} of {len(indices)} pictures of {context.data.name}", tuple(means))


def _mean(maps: Maps, total: np.ndarray, count: int) -> Maps:
    return replace(maps, method=AVERAGE.name, texels=(total / count).astype(np.float32), extras={})


AVERAGE = Method(
    "average",
    "Average over data",
    "The mean map of each channel over pictures of the data set.",
    average,
    Parameters,
    needs="data",
)
