"""What each class loses without the units of a concept: the network is run whole, and with these units at 0.

Bau et al. 2020, "Understanding the Role of Individual Units in a Deep Neural Network", take single units away; here
they are taken by the concept that they detect. A class's pictures are those that the whole network gives that class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..data import random_indices
from ..dissection.concept_losses import ConceptLosses, ablate_concepts
from ..dissection.concept_units import units_by_concept
from ..dissection.single_run import DissectionParameters, find_units
from ..method_support.method import Method, MethodContext, Step, parameter
from ..recording import Maps, pack
from ..recording.charts import MOST_CHARTS, Chart, fitted_chart
from ..recording.errors import InputError
from .concept_contribution import FOLDER_HELP

DISSECTED = 0.4
"""Share of the whole work after the dissection."""
SIDE_BY_SIDE = 12
"""Concepts that are ordered by the class that needs them, so that a board of them shows a diagonal."""
Measure = Literal["score", "changed"]


@dataclass(frozen=True)
class ConceptLossesParameters(DissectionParameters):
    """Pictures, measure, and how units get their concepts."""

    pictures: int = parameter(100, "Pictures that are run without each concept", 1, 1_000_000)
    measure: Measure = parameter(
        "score", "What a class loses: mean fall of its score, or share of its pictures that get another class"
    )
    dissected: str = parameter("", FOLDER_HELP)


def concept_losses(context: MethodContext, parameters: ConceptLossesParameters) -> Iterator[Step]:
    """Runs pictures once whole and once without each concept's units, for each layer.

    Maps: (C, 1, 1), what the class that loses most by a channel's concept loses; labels: "ring: star 2.3". Charts: a
    matrix of classes and concepts for each of the first layers. Raises ModelError, and InputError without a data set,
    class scores or any detector.
    """
    findings = yield from find_units(context, parameters.dissected, parameters, DISSECTED)
    data = context.data
    if data is None:
        raise InputError("concept_losses needs a data set; choose one, or name one when the bridge starts")
    indices = sorted(random_indices(data, min(parameters.pictures, len(data)), parameters.seed))
    found: dict[str, tuple[dict[str, tuple[int, ...]], ConceptLosses]] = {}
    for number, layer in enumerate(context.layers):
        groups = units_by_concept(findings[layer], parameters.threshold)
        for losses in ablate_concepts(context, layer, groups, indices) if groups else ():
            done = DISSECTED + (1 - DISSECTED) * (number + losses.share) / len(context.layers)
            yield Step(min(done, 0.999), f"{layer}: {len(groups)} concepts taken away from pictures of {data.name}")
            found[layer] = groups, losses
    if not found:
        raise InputError(f"no unit is a detector at an IoU of {parameters.threshold:g}; lower the threshold")
    tables = {layer: _table(context, groups, losses, parameters.measure) for layer, (groups, losses) in found.items()}
    charts = tuple(_chart(layer, table, parameters.measure) for layer, table in tables.items())[:MOST_CHARTS]
    message = f"{len(indices)} pictures of {data.name}"
    for layer in context.layers:
        maps = _maps(context, layer, found[layer][0] if layer in found else {}, tables.get(layer))
        yield Step(1.0, message, (replace(maps, charts=charts),))


@dataclass(frozen=True)
class LossTable:
    """Losses of the classes that have pictures."""

    classes: tuple[str, ...]
    concepts: tuple[str, ...]
    """First those whose units some class needs most, in the order of these classes."""
    values: np.ndarray
    """(classes, concepts) float64."""


def _table(
    context: MethodContext, groups: Mapping[str, Sequence[int]], losses: ConceptLosses, measure: Measure
) -> LossTable:
    values = losses.mean_losses if measure == "score" else losses.changed_shares
    names = context.class_names.of(len(values))
    seen = np.flatnonzero(losses.pictures)
    order = np.argsort(-values[seen].max(0), kind="stable")
    order[:SIDE_BY_SIDE] = sorted(order[:SIDE_BY_SIDE], key=lambda column: int(values[seen, column].argmax()))
    concepts = tuple(groups)
    return LossTable(tuple(names[k] for k in seen), tuple(concepts[k] for k in order), values[seen][:, order])


def _chart(layer: str, table: LossTable, measure: Measure) -> Chart:
    return fitted_chart(
        "matrix",
        f"lost without a concept in {layer}",
        table.classes,
        table.concepts,
        table.values,
        row_axis="class",
        series_axis="concept",
        value_axis="mean fall of the score" if measure == "score" else "share of pictures with another answer",
    )


def _maps(context: MethodContext, layer: str, groups: Mapping[str, Sequence[int]], table: LossTable | None) -> Maps:
    """Returns the largest loss of a class for each channel, by the channel's concept; 0 for channels without one."""
    count = context.network.layer(layer).map_shape[0]
    values, labels = np.zeros(count, np.float32), [""] * count
    for column, concept in enumerate(table.concepts if table is not None else ()):
        assert table is not None
        row = int(table.values[:, column].argmax())
        for unit in groups[concept]:
            values[unit] = table.values[row, column]
            labels[unit] = f"{concept}: {table.classes[row]} {values[unit]:.2g}"
    note = "" if table is not None else "no unit is a detector"
    maps = Maps(layer, CONCEPT_LOSSES.name, pack(values[:, None, None]), count, labels=tuple(labels), note=note)
    return replace(maps, extras={"values": values}).only(context.channels)


CONCEPT_LOSSES = Method(
    "concept_losses",
    "Losses by concept",
    "What each class loses when the channels that detect a concept are set to 0.",
    concept_losses,
    ConceptLossesParameters,
    needs="data",
)
