"""Accuracy of boxes from class activation maps on a data set whose true boxes are known.

A box is correct if its intersection over union with the true box is at least 0.5, as in ILSVRC.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..data import DataSet
from ..predictions.boxes import Box, box_in_input
from ..recording.errors import InputError
from .object_finder import Detection, ObjectFinder

MIN_OVERLAP = 0.5
"""Least intersection over union of a correct box."""


@dataclass(frozen=True)
class BoxResult:
    """The box found in one picture, beside the true one."""

    index: int
    """Number of the picture in the data set."""
    label: int
    """The true class."""
    truth: Box
    """The true box, in shares of the network's input."""
    detection: Detection
    """What was found for the true class."""
    predicted: int
    """The predicted class."""
    overlap: float
    """Intersection over union, 0..1."""

    @property
    def correct(self) -> bool:
        """Whether the box is correct; the predicted class may be wrong."""
        return self.overlap >= MIN_OVERLAP

    @property
    def peak_inside(self) -> bool:
        """Whether the map's maximum lies in the true box (the pointing game)."""
        return self.truth.contains(*self.detection.peak)

    def describe(self, classes: tuple[str, ...]) -> str:
        """Returns the result in one line."""
        mistaken = "" if self.predicted == self.label else f", taken for {classes[self.predicted]}"
        box = f"overlap {self.overlap:.2f}" if self.detection.box else "nothing found"
        beside = "" if self.peak_inside else ", peak outside the box"
        return f"picture {self.index}: {classes[self.label]}, {box}{beside}{mistaken}"


def evaluate_picture(finder: ObjectFinder, data: DataSet, index: int) -> BoxResult:
    """Finds the first object in a picture that has a true box. Raises InputError if the data set has no boxes."""
    truths = data.boxes(index)
    if not truths:
        raise InputError(f"{data.name} has no boxes; concepts:object has them")
    picture = data.picture(index)
    class_maps = finder.run_input(finder.context.arguments_from_picture(picture))
    if len(data.classes) != len(class_maps.maps):
        raise InputError(
            f"{data.name} has {len(data.classes)} classes, the network {len(class_maps.maps)}; they must be the same"
        )
    label, box = truths[0]
    truth = box_in_input(box, *picture.size, finder.context.preprocessing)
    detection = class_maps.detect(label)
    overlap = detection.box.overlap(truth) if detection.box else 0.0
    return BoxResult(index, label, truth, detection, class_maps.top_classes(1)[0], overlap)


@dataclass(frozen=True)
class BoxAccuracy:
    """Accuracy over some pictures. All shares are 0..1."""

    results: tuple[BoxResult, ...]
    classes: tuple[str, ...]

    def of_class(self, label: int) -> BoxAccuracy:
        """Returns the accuracy over the pictures of one class."""
        return BoxAccuracy(tuple(result for result in self.results if result.label == label), self.classes)

    @property
    def correct(self) -> float:
        """Share of correct boxes."""
        return sum(result.correct for result in self.results) / max(len(self.results), 1)

    @property
    def correct_and_named(self) -> float:
        """Share of pictures with a correct box and a correct prediction, as ILSVRC counts."""
        named = sum(result.correct and result.predicted == result.label for result in self.results)
        return named / max(len(self.results), 1)

    @property
    def peak_inside(self) -> float:
        """Share of pictures whose map has its maximum in the true box."""
        return sum(result.peak_inside for result in self.results) / max(len(self.results), 1)

    @property
    def overlap(self) -> float:
        """Mean intersection over union."""
        return sum(result.overlap for result in self.results) / max(len(self.results), 1)

    def failures(self) -> list[BoxResult]:
        """Returns the results with wrong boxes, worst first."""
        wrong = (result for result in self.results if not result.correct)
        return sorted(wrong, key=lambda result: (result.overlap, result.index))

    def row(self) -> str:
        """Returns the numbers as a row of `table`."""
        shares = f"{self.correct:>9.1%}  {self.correct_and_named:>9.1%}  {self.peak_inside:>10.1%}"
        return f"{len(self.results):>8}  {shares}  {self.overlap:>12.2f}"

    def table(self, failures: int = 10) -> str:
        """Returns a table for a terminal: a row for each class and one for all, then the worst failures."""
        rows = [(name, self.of_class(k)) for k, name in enumerate(self.classes)] + [("all", self)]
        width = max(len(name) for name, _ in rows)
        head = f"{'class':<{width}}  pictures  box right  and named  pointed at  mean overlap"
        lines = [f"{name:<{width}}  {accuracy.row()}" for name, accuracy in rows if accuracy.results]
        worst = self.failures()
        listed = [result.describe(self.classes) for result in worst[:failures]]
        total = [f"{len(worst)} boxes are wrong" + (", the worst:" if listed else ".")] if self.results else []
        return "\n".join([head, *lines, *total, *listed])
