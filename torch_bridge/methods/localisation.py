"""Localisation: boxes around the most probable classes, from their class activation maps M_c.

Zhou et al. 2016, "Learning Deep Features for Discriminative Localization", section 3.1: the tight box around the
largest connected part of {M_c > threshold * max M_c}.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..method_support.cam_head import class_map_layer
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import ZERO, Method, MethodContext, Step, parameter
from ..method_support.object_finder import THRESHOLD, THRESHOLD_HELP, ObjectFinder
from ..method_support.picture_maps import scalar_maps
from ..predictions.classes import PREDICTED


@dataclass(frozen=True)
class Parameters:
    """Which classes are located, and how."""

    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    classes: int = parameter(1, "If of_class is -1: how many of the most probable classes to locate", 1, 100)
    threshold: float = parameter(THRESHOLD, THRESHOLD_HELP, 0.01, 0.99)


def localisation(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Locates the classes in one run, drawn on the layer of the classes.

    Maps: (located classes, H, W) in units of the score, in the size of the picture, negative values cut off. Extras:
    "values" (located classes,) float32 scores; "boxes" (B, 6) float32: class, box as shares of the picture,
    probability. Raises InputError as `cam` does.
    """
    yield Step(0.0, "looking for the maps that are averaged")
    finder = ObjectFinder(context, parameters.threshold)
    yield Step(0.5, f"the means of {finder.head.layer} give the scores")
    class_maps = finder.run_input(context.arguments)
    count = len(class_maps.maps)
    layer = class_map_layer(context, count)
    named = class_maps.top_classes(parameters.classes) if parameters.of_class == PREDICTED else [parameters.of_class]
    detections = [class_maps.detect(index) for index in context.channels or named]
    rows = [
        (detection.class_.index, *detection.box, detection.class_.probability)
        for detection in detections
        if detection.box
    ]
    located = [detection.class_ for detection in detections]
    numbers, labels = [target.index for target in located], [target.name for target in located]
    values = class_maps.scores[0, numbers].cpu().numpy()
    extras = {"values": values, "boxes": np.array(rows, np.float32).reshape(-1, 6)}
    planes = {index: np.maximum(class_maps.enlarged(index), 0) for index in numbers}
    maps = scalar_maps(layer, LOCALISATION.name, planes, count, numbers, labels, extras)
    if not any(plane.any() for plane in planes.values()):
        maps = replace(maps, note=f"{ZERO}: no position speaks for {', '.join(labels)}")
    names = ", ".join(f"{target.name} {target.probability:.0%}" for target in located[:3])
    yield Step(1.0, f"{len(rows)} boxes: {names}", (maps,))


LOCALISATION = Method(
    "localisation",
    "Localisation",
    "Boxes around the most probable classes, from their class activation maps.",
    localisation,
    Parameters,
)
