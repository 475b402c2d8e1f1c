"""What units detect: their best concept of each category with its IoU, and how many different concepts a layer detects.

The reports have the columns of the authors' code (Bau et al. 2017, github.com/CSAILVision/NetDissect).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..data.labelled import Concept
from .tally import UnitCounts

Rule = Literal["category", "plain"]
"""Which pixels of a mask count: those on pictures where a concept of the category lies under the mask, or all."""
BAR = 0.04
"""IoU from which on a unit is a detector."""
BLOCK = 64
"""Units that are compared with all concepts at once."""


@dataclass(frozen=True)
class ConceptMatch:
    """How well a unit's mask fits a concept."""

    concept: str
    truth: int
    """Pixels with the concept."""
    activation: int
    """Pixels of the mask that count."""
    intersect: int
    """Pixels of both."""
    share: float = 0.0
    """Share of all pixels that the concept has, 0..1; 0 where unknown."""
    mask_share: float = 0.0
    """The same of the mask."""

    @property
    def iou(self) -> float:
        """Pixels of both over pixels of either, 0..1."""
        either = self.truth + self.activation - self.intersect
        return self.intersect / either if either else 0.0

    @property
    def ceiling(self) -> float:
        """The highest IoU that masks and concepts of these sizes could have, 0..1."""
        low, high = sorted((self.share, self.mask_share))
        return low / high if high else 0.0

    @property
    def chance(self) -> float:
        """The IoU of independent masks and concepts of these sizes, 0..1."""
        both = self.share * self.mask_share
        either = self.share + self.mask_share - both
        return both / either if either else 0.0


@dataclass(frozen=True)
class UnitFinding:
    """What a unit detects best in each category."""

    unit: int
    matches: Mapping[str, ConceptMatch]
    """By category."""

    @property
    def category(self) -> str:
        """The category of the best concept."""
        return max(self.matches, key=lambda category: self.matches[category].iou)

    @property
    def best(self) -> ConceptMatch:
        """The best concept of all categories."""
        return self.matches[self.category]

    def is_detector(self, bar: float = BAR) -> bool:
        """Returns whether the best concept's IoU reaches the bar."""
        return self.best.iou >= bar


def find_concepts(counts: UnitCounts, concepts: Sequence[Concept], rule: Rule = "category") -> list[UnitFinding]:
    """Returns what each unit detects, in the order of the units.

    concepts: label k is at place k - 1.
    """
    categories = list(dict.fromkeys(concept.category for concept in concepts))
    numbers = np.array([categories.index(concept.category) for concept in concepts])
    members = [np.flatnonzero(numbers == number) for number in range(len(categories))]
    areas = counts.category_pixels if rule == "category" else counts.unit_pixels[:, None].repeat(len(categories), 1)
    truth, all_pixels = counts.label_pixels[1:], max(counts.pixels, 1)
    found = []
    for start in range(0, len(areas), BLOCK):
        both = counts.both.rows(start, min(start + BLOCK, len(areas)))[:, 1:]
        overlap = both / np.maximum(areas[start : start + BLOCK, numbers] + truth - both, 1)
        for row, unit in enumerate(range(start, start + len(both))):
            mask_share, matches = counts.unit_pixels[unit] / all_pixels, {}
            for number, category in enumerate(categories):
                best = int(members[number][np.argmax(overlap[row, members[number]])])
                pixels = int(truth[best]), int(areas[unit, number]), int(both[row, best])
                matches[category] = ConceptMatch(concepts[best].name, *pixels, truth[best] / all_pixels, mask_share)
            found.append(UnitFinding(unit, matches))
    return found


def count_detectors(findings: Sequence[UnitFinding], bar: float = BAR) -> dict[str, int]:
    """Returns the number of detectors by category of their best concept, categories in their order."""
    categories = findings[0].matches if findings else {}
    winners = [finding.category for finding in findings if finding.is_detector(bar)]
    return {category: winners.count(category) for category in categories}


def unique_concepts(findings: Sequence[UnitFinding], bar: float = BAR) -> dict[str, list[str]]:
    """Returns the different concepts that detectors detect best, by category, each sorted."""
    categories = findings[0].matches if findings else {}
    winners = {(finding.category, finding.best.concept) for finding in findings if finding.is_detector(bar)}
    return {category: sorted(name for own, name in winners if own == category) for category in categories}
