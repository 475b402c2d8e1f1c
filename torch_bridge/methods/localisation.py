"""Localisation: boxes around the most probable classes, from their class activation maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..method_support.input_attribution import OF_CLASS
from ..method_support.method import Method, Step, MethodContext, parameter
from ..method_support.object_finder import THRESHOLD, ObjectFinder
from ..method_support.picture_maps import scalar_maps
from ..predictions.classes import PREDICTED
from .cam import class_map_layer

ABOVE = "Share of a map's maximum above which the object is"


@dataclass(frozen=True)
class Parameters:
    """Which classes are looked for, and how."""

    of_class: int = parameter(PREDICTED, OF_CLASS, PREDICTED, 1_000_000)
    classes: int = parameter(1, "Where none is named: how many, from the most probable on", 1, 100)
    threshold: float = parameter(THRESHOLD, ABOVE, 0.01, 0.99)


def localisation(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """On the layer of the classes: their maps in the picture's size, a box for each with its probability as score.

    Raises InputError as `cam` does.
    """
    yield Step(0.0, "looking for the maps that are averaged")
    finder = ObjectFinder(work, parameters.threshold)
    yield Step(0.5, f"the means of {finder.head.layer} give the scores")
    look = finder.look(work.arguments)
    home, count = class_map_layer(work, len(look.maps)), len(look.maps)
    named = look.best(parameters.classes) if parameters.of_class == PREDICTED else [parameters.of_class]
    places = [look.place(index) for index in work.channels or named]
    rows = [(one.class_.index, *one.box, one.class_.probability) for one in places if one.box]
    extras = {"values": look.scores[0].cpu().numpy(), "boxes": np.array(rows, np.float32).reshape(-1, 6)}
    planes = {one.class_.index: np.maximum(look.map_of(one.class_.index), 0) for one in places}
    told = ", ".join(f"{one.class_.name} {one.class_.probability:.0%}" for one in places[:3])
    maps = scalar_maps(home, LOCALISATION.name, planes, count, work.names.of(count), extras)
    yield Step(1.0, f"{len(rows)} boxes: {told}", (maps,))


LOCALISATION = Method(
    "localisation", "Localisation", "Boxes around the most probable classes, from their class activation maps.",
    localisation, Parameters,
)  # fmt: skip
