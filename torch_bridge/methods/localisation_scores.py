"""Localisation scores: how often boxes from class activation maps are right, and the pictures where they are worst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ..data import DataSet, random_indices
from ..inputs.preprocess import fit_picture
from ..method_support.box_accuracy import BoxAccuracy, BoxResult, evaluate_picture
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.object_finder import THRESHOLD, ObjectFinder
from ..method_support.picture_maps import mosaic, picture_maps
from ..predictions.boxes import Box
from ..recording import Maps
from ..recording.errors import InputError
from .cam import class_map_layer
from .localisation import ABOVE

SHOWN = 8
"""How often what there is so far is shown."""
SAMPLES, LEAST_SIDE = 4, 128
"""Pictures of a class, of the worst boxes; their least side in pixels."""
TRUE_COLOUR, FOUND_COLOUR = (40, 220, 90), (255, 60, 60)


@dataclass(frozen=True)
class Parameters:
    """Which pictures of the data set, and how objects are found."""

    count: int = parameter(300, "How many pictures are tried", 1, 1_000_000)
    threshold: float = parameter(THRESHOLD, ABOVE, 0.01, 0.99)
    seed: int = parameter(0, "Which of them: another seed draws others", 0, 2**31 - 1)


def localisation_scores(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """A tile a class, on the layer of the classes: its worst pictures, true boxes green and found ones red.

    The share of right boxes is the channel's number. Raises InputError where the data set knows no boxes.
    """
    if work.data is None:
        raise InputError("localisation_scores needs a data set that knows boxes; concepts:object does")
    finder, tries = ObjectFinder(work, parameters.threshold), []
    home = class_map_layer(work, len(finder.head.bias))
    indices = random_indices(work.data, parameters.count, parameters.seed)
    for done, index in enumerate(indices, 1):
        tries.append(evaluate_picture(finder, work.data, index))
        score = BoxAccuracy(tuple(tries), work.data.classes)
        due = (done - 1) * SHOWN // len(indices) < done * SHOWN // len(indices)
        told = f"{done} of {len(indices)}: {score.right:.1%} of boxes right, {score.pointed:.1%} pointed at"
        yield Step(done / len(indices), told, (_maps(work, work.data, home, score),) if due else ())


def _maps(work: MethodContext, data: DataSet, home: str, score: BoxAccuracy) -> Maps:
    pictures, labels = {}, []
    for label, name in enumerate(score.classes):
        own = score.of(label)
        worst = sorted(own.tries, key=lambda one: (one.overlap, one.index))[:SAMPLES]
        if worst:
            pictures[label] = _side_by_side([_drawn(work, data, one) for one in worst])
        wrong = "; ".join(one.told(score.classes) for one in own.failures()[:SAMPLES])
        labels.append(f"{name}: {own.right:.0%} of {len(own.tries)} right{'; ' if wrong else ''}{wrong}")
    rights = [score.of(label).right for label in range(len(score.classes))]
    extras = {"values": np.array(rights, np.float32), "samples": np.array([2, 2], np.int32)}
    return picture_maps(home, LOCALISATION_SCORES.name, pictures, len(labels), labels, extras)


def _side_by_side(drawn: list[np.ndarray]) -> np.ndarray:
    empty = [np.zeros_like(drawn[0])] * (SAMPLES - len(drawn))
    return mosaic(np.stack([*drawn, *empty]))


def _drawn(work: MethodContext, data: DataSet, one: BoxResult) -> np.ndarray:
    """(H, W, 3) 0..1: what the network gets of a picture, with both boxes."""
    return draw_boxes(fit_picture(data.picture(one.index), work.how), [(one.truth, TRUE_COLOUR), (one.found.box, FOUND_COLOUR)])


def draw_boxes(picture: Image.Image, boxes: list[tuple[Box | None, tuple[int, int, int]]]) -> np.ndarray:
    """(H, W, 3) 0..1 sRGB: a picture, small ones enlarged, with boxes in these colours."""
    factor = -(-LEAST_SIDE // min(picture.size))
    size = picture.width * factor, picture.height * factor
    shown = picture.convert("RGB").resize(size, Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(shown)
    for box, colour in boxes:
        if box is not None:
            ends = [end * side for end, side in zip(box, (*size, *size), strict=True)]
            pen.rectangle((ends[0], ends[1], ends[2] - 1, ends[3] - 1), outline=colour, width=max(1, min(size) // 96))
    return np.asarray(shown, np.float32) / 255


LOCALISATION_SCORES = Method(
    "localisation_scores", "Localisation scores", "How often boxes are right, and the pictures where they are worst.",
    localisation_scores, Parameters, needs="data",
)  # fmt: skip
