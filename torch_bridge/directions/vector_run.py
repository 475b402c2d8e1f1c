"""Learns the concept vectors of several layers in one run of a method, or reads those of a finished dissection."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..data import random_indices
from ..data.labelled import LabelledData
from ..dissection.passes import collect_values
from ..method_support.method import MethodContext, Step, parameter
from ..models.fingerprint import weights_fingerprint
from ..recording.errors import InputError
from .concept_vectors import ConceptVectors
from .mask_store import collect_masks
from .vector_files import read_vectors
from .vector_training import VectorSettings, VectorTraining

VALUES, MASKS = 0.1, 0.2
"""Shares of the whole work after the values, and after the masks."""


@dataclass(frozen=True)
class VectorParameters:
    """The pictures from which vectors are learnt, and how."""

    count: int = parameter(300, "Pictures of the data set to learn from; a quarter is for validation", 8, 10_000_000)
    quantile: float = parameter(0.005, "Share of positions at which a unit exceeds its threshold", 1e-6, 0.5)
    epochs: int = parameter(30, "Times that each picture is learnt from", 1, 10_000)
    top: int = parameter(8, "Units of the small combination", 1, 10_000)
    seed: int = parameter(0, "Seed that chooses pictures, their order, and those for validation", 0, 2**31 - 1)
    dissected: str = parameter("", "Folder of innerwalk dissect --vectors, in place of learning now")


@dataclass
class VectorResult:
    """Vectors by layer, as far as they are learnt."""

    layers: dict[str, ConceptVectors]
    share: float = 0.0
    """Share of the work that is done, 0..1."""


def find_vectors(
    context: MethodContext, parameters: VectorParameters
) -> Generator[Step, None, dict[str, ConceptVectors]]:
    """Returns the vectors of the requested layers; yields steps up to a share of 1.

    Raises ModelError, and InputError without a folder of them and without a data set whose pixels are labelled.
    """
    if parameters.dissected:
        counts = {layer: context.network.layer(layer).map_shape[0] for layer in context.layers}
        return read_vectors(parameters.dissected, counts, weights_fingerprint(context.model))
    data = context.data
    if not isinstance(data, LabelledData):
        raise InputError("concept vectors need a data set whose pixels are labelled, such as concepts:object")
    indices = sorted(random_indices(data, min(parameters.count, len(data)), parameters.seed))
    for found in collect_values(context, indices):
        yield Step(VALUES * found.share, f"values of {data.name}")
        values = found.layers
    thresholds = {layer: own.histogram.quantile(1 - parameters.quantile) for layer, own in values.items()}
    settings = VectorSettings(parameters.epochs, parameters.top, parameters.seed)
    for result in learn_vectors(context, indices, thresholds, settings):
        yield Step(VALUES + (1 - VALUES) * result.share, f"concepts of {data.name}")
    return result.layers


def learn_vectors(
    context: MethodContext, indices: Sequence[int], thresholds: Mapping[str, np.ndarray], settings: VectorSettings
) -> Iterator[VectorResult]:
    """Learns the vectors of the context's layers from pictures with these numbers; yields after each piece of work.

    thresholds: (U,) float32 by layer. Raises as `collect_masks` and `VectorTraining.run`.
    """
    result = VectorResult({})
    for store in collect_masks(context, indices, thresholds):
        result.share = MASKS * store.share
        yield result
    for number, layer in enumerate(context.layers):
        steps = VectorTraining(store, layer, thresholds[layer], settings).run()
        while True:
            try:
                done = next(steps)
            except StopIteration as stop:
                result.layers[layer] = stop.value
                break
            result.share = MASKS + (1 - MASKS) * (number + done) / len(context.layers)
            yield result
    result.share = 1.0
    yield result
