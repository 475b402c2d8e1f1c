"""Localisation scores: the share of correct boxes from class activation maps, and the pictures with the worst boxes.

A box is correct if its intersection over union with the true box is at least 0.5. Protocol: ILSVRC localisation, as in
Zhou et al. 2016, "Learning Deep Features for Discriminative Localization".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..data import DataSet, random_indices
from ..inputs.preprocess import fit_picture
from ..method_support.box_accuracy import BoxAccuracy, BoxResult, evaluate_picture
from ..method_support.box_drawing import FOUND_COLOUR, TRUE_COLOUR, draw_boxes
from ..method_support.cam_head import class_map_layer
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.object_finder import THRESHOLD, THRESHOLD_HELP, ObjectFinder
from ..method_support.picture_maps import mosaic, picture_maps
from ..recording import Maps, near_square
from ..recording.errors import InputError

PARTIAL_RESULTS = 8
"""How many times results are shown while they are computed."""
SAMPLES = 4
"""Pictures with the worst boxes that are shown of each class."""


@dataclass(frozen=True)
class Parameters:
    """Which pictures of the data set are tried, and how objects are located."""

    count: int = parameter(300, "Pictures of the data set to try", 1, 1_000_000)
    threshold: float = parameter(THRESHOLD, THRESHOLD_HELP, 0.01, 0.99)
    seed: int = parameter(0, "Seed that chooses the pictures", 0, 2**31 - 1)


def localisation_scores(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Tries picture after picture, drawn on the layer of the classes.

    Maps: (classes, H, W, 3) sRGB 0..1, the worst pictures of each class, true boxes green and found ones red. Extra
    "values": (classes,) float32 share of correct boxes, 0..1. Raises InputError if the data set has no boxes.
    """
    if context.data is None:
        raise InputError("localisation_scores needs a data set with boxes; concepts:object has them")
    finder = ObjectFinder(context, parameters.threshold)
    results: list[BoxResult] = []
    layer = class_map_layer(context, len(finder.head.bias))
    indices = random_indices(context.data, parameters.count, parameters.seed)
    for done, index in enumerate(indices, 1):
        results.append(evaluate_picture(finder, context.data, index))
        accuracy = BoxAccuracy(tuple(results), context.data.classes)
        is_due = (done - 1) * PARTIAL_RESULTS // len(indices) < done * PARTIAL_RESULTS // len(indices)
        shares = f"{accuracy.correct:.1%} of boxes right, {accuracy.peak_inside:.1%} pointed at"
        maps = (_maps(context, context.data, layer, accuracy),) if is_due else ()
        yield Step(done / len(indices), f"{done} of {len(indices)}: {shares}", maps)


def _maps(context: MethodContext, data: DataSet, layer: str, accuracy: BoxAccuracy) -> Maps:
    pictures, labels = {}, []
    for label, name in enumerate(accuracy.classes):
        own = accuracy.of_class(label)
        worst = sorted(own.results, key=lambda result: (result.overlap, result.index))[:SAMPLES]
        if worst:
            pictures[label] = _grid([_draw(context, data, result) for result in worst])
        wrong = "; ".join(result.describe(accuracy.classes) for result in own.failures()[:SAMPLES])
        labels.append(f"{name}: {own.correct:.0%} of {len(own.results)} right{'; ' if wrong else ''}{wrong}")
    correct = [accuracy.of_class(label).correct for label in range(len(accuracy.classes))]
    extras = {"values": np.array(correct, np.float32), "samples": np.array(near_square(SAMPLES), np.int32)}
    return picture_maps(layer, LOCALISATION_SCORES.name, pictures, len(labels), (), labels, extras).only(
        context.channels
    )


def _grid(pictures: list[np.ndarray]) -> np.ndarray:
    """Up to SAMPLES pictures (H, W, 3) -> one picture; missing ones are black."""
    empty = [np.zeros_like(pictures[0])] * (SAMPLES - len(pictures))
    return mosaic(np.stack([*pictures, *empty]))


def _draw(context: MethodContext, data: DataSet, result: BoxResult) -> np.ndarray:
    """(H, W, 3) float32 sRGB 0..1: what the network sees of a picture, with both boxes."""
    picture = fit_picture(data.picture(result.index), context.preprocessing)
    return draw_boxes(picture, [(result.truth, TRUE_COLOUR), (result.detection.box, FOUND_COLOUR)])


LOCALISATION_SCORES = Method(
    "localisation_scores",
    "Localisation scores",
    "How often boxes are correct, and the pictures with the worst boxes.",
    localisation_scores,
    Parameters,
    needs="data",
)
