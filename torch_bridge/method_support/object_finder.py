"""Locates objects by the class activation maps of their classes.

Zhou et al. 2016, "Learning Deep Features for Discriminative Localization", section 3.1: the tight box around the
largest connected part of the map above a share of its maximum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..capture.call_arguments import first_argument
from ..predictions.boxes import Box, find_box
from ..predictions.class_names import ClassNames
from ..predictions.classes import PREDICTED, ScoredClass, class_scores, find_class
from ..probing.partial_forward import PartialForward
from ..video import Frame, Video
from .cam_head import find_head
from .method import MethodContext
from .run_limits import full_precision

THRESHOLD = 0.5
"""Share of the maximum. Correct boxes on 500 pictures of concepts:object: 41 % at the paper's 0.2, 86 % at 0.4, 96 % at
0.5 and 0.55."""
THRESHOLD_HELP = "Share of the map's maximum above which a pixel belongs to the object"


class Detection(NamedTuple):
    """The position of a class."""

    class_: ScoredClass
    box: Box | None
    """Shares of the picture; None where the map is nowhere positive."""
    peak: tuple[float, float]
    """x and y of the map's maximum, as shares of the picture."""


class FrameDetection(NamedTuple):
    """The most probable class in a frame of a video."""

    frame: Frame
    detection: Detection


class ObjectFinder:
    """Locates classes in inputs of a network."""

    def __init__(self, context: MethodContext, threshold: float) -> None:
        """Raises InputError if the network has no class activation maps. threshold: see THRESHOLD."""
        self.context, self.threshold, self.head = context, threshold, find_head(context)
        self.forward = PartialForward(context.model, [self.head.layer], context.arguments)

    def run_input(self, arguments: tuple[object, ...]) -> ClassMaps:
        """Runs the network on arguments of `forward`; only the first picture of a batch counts."""
        with torch.no_grad(), full_precision(self.context.device):
            result = self.forward(arguments, to_output=True)
            maps, scores = self.head.maps(result.maps[self.head.layer][:1])[0], class_scores(result.output)[:1]
        first = first_argument(arguments)
        first = first[0][None] if isinstance(first, list) else first
        size, names = tuple(first.shape[2:]), self.context.class_names
        return ClassMaps(maps.float(), scores.float(), result.independent, size, self.threshold, names)

    def follow(self, video: Video, count: int) -> Iterator[FrameDetection]:
        """Locates the most probable class in the first `count` frames, each by itself. Raises InputError."""
        for _ in range(min(count, video.frames or count)):
            frame = video.step()
            yield FrameDetection(
                frame, self.run_input(self.context.arguments_from_picture(Image.fromarray(frame.picture))).detect()
            )


@dataclass(frozen=True)
class ClassMaps:
    """The class activation maps and scores of one input."""

    maps: Tensor
    """(classes, h, w) float32."""
    scores: Tensor
    """(1, classes) float32."""
    independent: bool
    """Whether a sigmoid gives each class a probability of its own."""
    size: tuple[int, ...]
    """Height and width of the picture in pixels."""
    threshold: float
    names: ClassNames

    def top_classes(self, count: int) -> list[int]:
        """Returns the classes with the highest scores, highest first."""
        return self.scores[0].topk(min(count, len(self.maps))).indices.tolist()

    def enlarged(self, index: int) -> np.ndarray:
        """(H, W) float32: the map of a class in the size of the picture."""
        small = self.maps[index][None, None]
        large = torch.nn.functional.interpolate(small, self.size, mode="bilinear", align_corners=False)
        values: np.ndarray = large[0, 0].cpu().numpy()
        return values

    def detect(self, of_class: int = PREDICTED) -> Detection:
        """Locates a class. Raises UnknownName."""
        target = find_class(self.scores, of_class, self.names, independent=self.independent)
        values = self.enlarged(target.index)
        row, column = np.unravel_index(np.where(np.isfinite(values), values, -np.inf).argmax(), values.shape)
        peak = (float(column) + 0.5) / values.shape[1], (float(row) + 0.5) / values.shape[0]
        return Detection(target, find_box(values, self.threshold), peak)
