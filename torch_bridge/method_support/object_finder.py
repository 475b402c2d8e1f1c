"""Finding an object by the class activation map of its class.

Zhou et al. 2016, section 3.1: the part of the map above a share of its maximum, the largest connected piece of it, a
tight box.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..predictions.boxes import Box, find_box
from ..predictions.class_names import ClassNames
from ..predictions.classes import PREDICTED, ScoredClass, class_scores, find_class
from ..probing.partial_forward import PartialForward
from ..video import Frame, Video
from .cam_head import find_head
from .input_gradients import full_precision
from .method import MethodContext

THRESHOLD = 0.5
"""The paper's .2 gives 41 % of right boxes on 500 pictures of concepts:object, .4 gives 86 %, .5 and .55 give 96 %."""


class Detection(NamedTuple):
    """Where a class was found."""

    class_: ScoredClass
    box: Box | None
    """None where nothing speaks for it."""
    peak: tuple[float, float]
    """x and y of the strongest evidence, as shares of the picture."""


class FrameDetection(NamedTuple):
    """A frame of a film, and where its most probable class is in it."""

    frame: Frame
    place: Detection


class ObjectFinder:
    """Finds classes in the pictures that a network gets."""

    def __init__(self, work: MethodContext, threshold: float) -> None:
        """Raises InputError where the network has no class activation maps."""
        self.work, self.threshold, self.head = work, threshold, find_head(work)
        self.reach = PartialForward(work.model, [self.head.layer], work.arguments)

    def look(self, arguments: tuple[object, ...]) -> ClassMaps:
        """Run the network on one input."""
        with torch.no_grad(), full_precision(self.work.device):
            reached = self.reach(arguments, to_output=True)
            maps, scores = self.head.maps(reached.maps[self.head.layer][:1])[0], class_scores(reached.output)[:1]
        first = arguments[0][0][None] if isinstance(arguments[0], list) else arguments[0]
        assert isinstance(first, Tensor)
        return ClassMaps(maps.float(), scores.float(), tuple(first.shape[2:]), self.threshold, self.work.names)

    def follow(self, film: Video, count: int) -> Iterator[FrameDetection]:
        """Look at so many frames of a film, or as many as it has. Each is looked at by itself. Raises InputError."""
        for _ in range(min(count, film.frames or count)):
            frame = film.step()
            yield FrameDetection(frame, self.look(self.work.feed(Image.fromarray(frame.picture))).place())


@dataclass(frozen=True)
class ClassMaps:
    """What a network says to one input."""

    maps: Tensor
    """(classes, h, w): class activation maps."""
    scores: Tensor
    """(1, classes)"""
    size: tuple[int, ...]
    """Height and width of the picture."""
    threshold: float
    names: ClassNames

    def best(self, count: int) -> list[int]:
        """The classes with the highest scores, best first."""
        return self.scores[0].topk(min(count, len(self.maps))).indices.tolist()

    def map_of(self, index: int) -> np.ndarray:
        """(H, W): the map of a class in the size of the picture."""
        small = self.maps[index][None, None]
        large = torch.nn.functional.interpolate(small, self.size, mode="bilinear", align_corners=False)
        plain: np.ndarray = large[0, 0].cpu().numpy()
        return plain

    def place(self, of_class: int = PREDICTED) -> Detection:
        """Where a class is. Raises UnknownName."""
        found = find_class(self.scores, of_class, self.names)
        values = self.map_of(found.index)
        row, column = np.unravel_index(np.where(np.isfinite(values), values, -np.inf).argmax(), values.shape)
        peak = (float(column) + 0.5) / values.shape[1], (float(row) + 0.5) / values.shape[0]
        return Detection(found, find_box(values, self.threshold), peak)
