"""Network Dissection: which concept each unit detects, over pictures whose pixels are labelled.

Bau et al. 2017, "Network Dissection: Quantifying Interpretability of Deep Visual Representations". `innerwalk dissect`
does the same for many pictures, in parts, with a report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..dissection.concept_units import category_numbers
from ..dissection.detector_charts import detector_chart
from ..dissection.findings import ConceptMatch
from ..dissection.single_run import DissectionParameters, dissect_layers
from ..dissection.unit_pictures import masked_pictures
from ..method_support.method import Method, MethodContext, Step
from ..method_support.picture_maps import picture_maps
from ..recording import CATEGORY, Maps

COUNTED = 0.9
"""Share of the whole work after the two passes."""


def dissection(context: MethodContext, parameters: DissectionParameters) -> Iterator[Step]:
    """Passes over the data twice. Maps: (C, H, W, 3) sRGB 0..1, a unit's best picture, dark outside the unit's mask.

    Labels are "ring .14", the best concept with its IoU, of detectors. Extras "values": (C,) float32, the best IoU, and
    "category": (C,) int32. Chart: how many different concepts each layer detects, by category. Raises ModelError, and
    InputError without a data set whose pixels are labelled.
    """
    dissected = yield from dissect_layers(context, parameters, COUNTED)
    layers = dissected.layers
    best = {layer: own.best for layer, own in layers.items()}
    thresholds = {layer: own.thresholds for layer, own in layers.items()}
    pictures = masked_pictures(context, best, thresholds, context.channels)
    charts = (detector_chart({layer: own.findings for layer, own in layers.items()}, parameters.threshold),)
    for layer, own in layers.items():
        numbers = context.selected_channels(layer)
        overlaps = np.array([own.findings[unit].best.iou for unit in numbers], np.float32)
        labels = [label(own.findings[unit].best, parameters.threshold) for unit in numbers]
        categories = category_numbers(own.findings, parameters.threshold)[list(numbers)]
        extras = {"values": overlaps, CATEGORY: categories}
        maps = _maps(context, layer, pictures[layer], labels, extras)
        yield Step(1.0, dissected.message, (replace(maps, charts=charts),))


def label(match: ConceptMatch, bar: float) -> str:
    """Returns a unit's label, such as "ring .14"; "" below the bar."""
    return f"{match.concept} {match.iou:.2f}".replace(" 0.", " .") if match.iou >= bar else ""


def _maps(
    context: MethodContext,
    layer: str,
    pictures: dict[int, np.ndarray],
    labels: list[str],
    extras: Mapping[str, np.ndarray],
) -> Maps:
    """Returns the maps of a layer; units that are never active have an empty place."""
    count = context.network.layer(layer).map_shape[0]
    shown = pictures or {context.selected_channels(layer)[0]: np.zeros((1, 1, 3), np.float32)}
    return picture_maps(layer, DISSECTION.name, shown, count, context.channels, labels, extras)


DISSECTION = Method(
    "dissection",
    "Network Dissection",
    "The concept that each channel detects, over pictures whose pixels are labelled.",
    dissection,
    DissectionParameters,
    needs="data",
)
