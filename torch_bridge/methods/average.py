"""Average: what a layer answers to a data set, picture after picture; the mean map of each channel so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..data import random_indices
from ..method_support.method import Method, Step, MethodContext, activation_maps, parameter
from ..recording import Maps
from ..recording.errors import InputError

SHOWN = 8
"""Pictures between two partial results."""


@dataclass(frozen=True)
class Parameters:
    """How many pictures of the data set, and which."""

    count: int = parameter(64, "How many pictures are averaged over", 1, 1_000_000)
    seed: int = parameter(0, "Which of them: another seed draws others", 0, 2**31 - 1)


def average(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Running means in float64. Raises InputError without a data set."""
    if work.data is None:
        raise InputError("average needs a data set; choose one, or name one when the bridge starts")
    indices = random_indices(work.data, min(parameters.count, len(work.data)), parameters.seed)
    sums: dict[str, np.ndarray] = {}
    latest: dict[str, Maps] = {}
    for done, index in enumerate(indices, 1):
        recording = work.record(work.feed(work.data.picture(index)), work.layers)
        for maps in activation_maps(recording):
            known = sums.setdefault(maps.layer, np.zeros(maps.texels.shape))
            if known.shape != maps.texels.shape:
                raise InputError(
                    f"layer {maps.layer} has other sizes for {work.data.title(index)}; average can't mix them"
                )
            known += maps.texels
            latest[maps.layer] = maps
        shown = done % SHOWN == 0 or done == len(indices)
        found = [_mean(latest[id], sums[id], done) for id in sums] if shown else ()
        yield Step(done / len(indices), f"{done} of {len(indices)} pictures of {work.data.name}", tuple(found))


def _mean(maps: Maps, total: np.ndarray, count: int) -> Maps:
    return replace(maps, method=AVERAGE.name, texels=(total / count).astype(np.float32), extras={})


AVERAGE = Method(
    "average", "Average over data", "The mean map of each channel over pictures of the data set.", average,
    Parameters, needs="data",
)  # fmt: skip
