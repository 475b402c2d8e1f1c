"""Network Dissection: which concept each unit detects, over pictures whose pixels are labelled.

Bau et al. 2017, "Network Dissection: Quantifying Interpretability of Deep Visual Representations". `innerwalk dissect`
does the same for many pictures, in parts, with a report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..data import random_indices
from ..data.labelled import LabelledData
from ..dissection.detector_charts import detector_chart
from ..dissection.findings import ConceptMatch, Rule, find_concepts
from ..dissection.passes import collect_values, count_masks
from ..dissection.unit_pictures import masked_pictures
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.picture_maps import picture_maps
from ..recording import Maps
from ..recording.errors import InputError

VALUES_UNTIL, MASKS_UNTIL = 0.4, 0.9
"""Shares of the whole work after the two passes."""


@dataclass(frozen=True)
class DissectionParameters:
    """Which pictures are looked at, and what counts as a detector."""

    count: int = parameter(1000, "Pictures of the data set to look at", 1, 10_000_000)
    quantile: float = parameter(0.005, "Share of positions at which a unit exceeds its threshold", 1e-6, 0.5)
    threshold: float = parameter(0.04, "IoU from which on a unit is a detector and gets a label", 0.0, 1.0)
    rule: Rule = parameter(
        "category", "Pixels of masks that count: on pictures with a label of the category under the mask, or all"
    )
    seed: int = parameter(0, "Seed that chooses the pictures", 0, 2**31 - 1)


def dissection(context: MethodContext, parameters: DissectionParameters) -> Iterator[Step]:
    """Passes over the data twice. Maps: (C, H, W, 3) sRGB 0..1, a unit's best picture, dark outside the unit's mask.

    Labels are "ring .14", the best concept with its IoU, of detectors. Extra "values": (C,) float32, the best IoU. Chart:
    the number of different concepts that each layer detects, by category.
    Raises ModelError, and InputError without a data set whose pixels are labelled.
    """
    data = context.data
    if not isinstance(data, LabelledData):
        raise InputError("dissection needs a data set whose pixels are labelled, such as concepts:object")
    indices = sorted(random_indices(data, min(parameters.count, len(data)), parameters.seed))
    for found in collect_values(context, indices):
        yield Step(VALUES_UNTIL * found.share, f"values of {data.name}")
        values = found.layers
    thresholds = {layer: own.histogram.quantile(1 - parameters.quantile) for layer, own in values.items()}
    for counted in count_masks(context, indices, thresholds):
        yield Step(VALUES_UNTIL + (MASKS_UNTIL - VALUES_UNTIL) * counted.share, f"masks and labels of {data.name}")
        counts = counted.layers
    best = {layer: own.best for layer, own in values.items()}
    pictures = masked_pictures(context, best, thresholds, context.channels)
    unreadable = f"; {len(counted.unreadable)} can't be read" if counted.unreadable else ""
    found_by_layer = {
        layer: find_concepts(counts[layer], data.concept_table, parameters.rule) for layer in context.layers
    }
    charts = (detector_chart(found_by_layer, parameters.threshold),)
    for layer, findings in found_by_layer.items():
        numbers = context.selected_channels(layer)
        overlaps = np.array([findings[unit].best.iou for unit in numbers], np.float32)
        labels = [_label(findings[unit].best, parameters.threshold) for unit in numbers]
        maps = replace(_maps(context, layer, pictures[layer], labels, overlaps), charts=charts)
        yield Step(1.0, f"{len(indices)} pictures of {data.name}{unreadable}", (maps,))


def _label(match: ConceptMatch, bar: float) -> str:
    return f"{match.concept} {match.iou:.2f}".replace(" 0.", " .") if match.iou >= bar else ""


def _maps(
    context: MethodContext, layer: str, pictures: dict[int, np.ndarray], labels: list[str], overlaps: np.ndarray
) -> Maps:
    """Returns the maps of a layer; units that are never active have an empty place."""
    count = context.network.layer(layer).map_shape[0]
    shown = pictures or {context.selected_channels(layer)[0]: np.zeros((1, 1, 3), np.float32)}
    return picture_maps(layer, DISSECTION.name, shown, count, context.channels, labels, {"values": overlaps})


DISSECTION = Method(
    "dissection",
    "Network Dissection",
    "The concept that each channel detects, over pictures whose pixels are labelled.",
    dissection,
    DissectionParameters,
    needs="data",
)
