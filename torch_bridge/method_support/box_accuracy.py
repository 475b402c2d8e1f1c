"""How often boxes from class activation maps are right, where a data set knows the true ones.

A box is right where it overlaps the true one by half (intersection over union), as ILSVRC has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..data import DataSet
from ..predictions.boxes import Box, box_in_input
from ..recording.errors import InputError
from .object_finder import ObjectFinder, Detection

MIN_OVERLAP = 0.5
"""Least overlap of a box that is right."""


@dataclass(frozen=True)
class BoxResult:
    """A picture whose truth is known, and what was found in it."""

    index: int
    label: int
    """The true class."""
    truth: Box
    """In what the network gets of the picture."""
    found: Detection
    """Of the true class."""
    named: int
    """The class that was predicted."""
    overlap: float

    @property
    def right(self) -> bool:
        """Whether the box is right; the name may be wrong."""
        return self.overlap >= MIN_OVERLAP

    @property
    def pointed(self) -> bool:
        """Whether the strongest evidence lies in the true box: the pointing game."""
        return self.truth.contains(*self.found.peak)

    def told(self, classes: tuple[str, ...]) -> str:
        """What went wrong, or right, in one line."""
        named = "" if self.named == self.label else f", taken for {classes[self.named]}"
        box = f"overlap {self.overlap:.2f}" if self.found.box else "nothing found"
        return f"picture {self.index}: {classes[self.label]}, {box}{'' if self.pointed else ', pointed beside'}{named}"


def evaluate_picture(finder: ObjectFinder, data: DataSet, index: int) -> BoxResult:
    """Look for the first thing in a picture that the data set knows a box of. Raises InputError where it knows none."""
    known = data.boxes(index)
    if not known:
        raise InputError(f"{data.name} knows no boxes; concepts:object does")
    picture = data.picture(index)
    look = finder.look(finder.work.feed(picture))
    if len(data.classes) != len(look.maps):
        raise InputError(
            f"{data.name} has {len(data.classes)} classes, the network {len(look.maps)}: not the same ones"
        )
    label, box = known[0]
    truth, found = box_in_input(box, *picture.size, finder.work.how), look.place(label)
    overlap = found.box.overlap(truth) if found.box else 0.0
    return BoxResult(index, label, truth, found, look.best(1)[0], overlap)


@dataclass(frozen=True)
class BoxAccuracy:
    """How often boxes were right."""

    tries: tuple[BoxResult, ...]
    classes: tuple[str, ...]

    def of(self, label: int) -> BoxAccuracy:
        """The pictures of one class."""
        return BoxAccuracy(tuple(one for one in self.tries if one.label == label), self.classes)

    @property
    def right(self) -> float:
        """Share 0..1 of boxes that are right."""
        return sum(one.right for one in self.tries) / max(len(self.tries), 1)

    @property
    def right_and_named(self) -> float:
        """Share 0..1 of pictures with the right box and the right name, which ILSVRC counts."""
        return sum(one.right and one.named == one.label for one in self.tries) / max(len(self.tries), 1)

    @property
    def pointed(self) -> float:
        """Share 0..1 of pictures whose strongest evidence lies in the true box."""
        return sum(one.pointed for one in self.tries) / max(len(self.tries), 1)

    @property
    def overlap(self) -> float:
        """Mean of intersection over union, 0..1."""
        return sum(one.overlap for one in self.tries) / max(len(self.tries), 1)

    def failures(self) -> list[BoxResult]:
        """Pictures whose box is wrong, the worst first."""
        return sorted((one for one in self.tries if not one.right), key=lambda one: (one.overlap, one.index))

    def row(self) -> str:
        """Its numbers, as `table` aligns them."""
        shares = f"{self.right:>9.1%}  {self.right_and_named:>9.1%}  {self.pointed:>10.1%}"
        return f"{len(self.tries):>8}  {shares}  {self.overlap:>12.2f}"

    def table(self, failures: int = 10) -> str:
        """For a terminal: a line a class and one for all, then the worst cases."""
        rows = [(name, self.of(k)) for k, name in enumerate(self.classes)] + [("all", self)]
        width = max(len(name) for name, _ in rows)
        head = f"{'class':<{width}}  pictures  box right  and named  pointed at  mean overlap"
        lines = [f"{name:<{width}}  {one.row()}" for name, one in rows if one.tries]
        worst = self.failures()
        listed = [one.told(self.classes) for one in worst[:failures]]
        told = [f"{len(worst)} boxes are wrong" + (", the worst:" if listed else ".")] if self.tries else []
        return "\n".join([head, *lines, *told, *listed])
