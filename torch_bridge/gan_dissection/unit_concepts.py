"""Matches the units of a generator's layer with concepts, over generated pictures.

A unit's mask is its map, enlarged bilinearly, above a threshold: that of a share of all positions, or for each concept
the one with the highest information quality ratio I(X; Y) / H(X, Y) on other pictures (Bau et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..data.labelled import Concept
from ..dissection.findings import ConceptMatch, UnitFinding
from ..recording.errors import InputError
from ..statistics import TopK
from .generator_layer import BATCH, GeneratorLayer
from .segmenters import PixelReader

SHARES = (0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
"""Shares of positions whose thresholds are tried for the information quality ratio."""
MAX_VALUES = 1 << 17
"""Values of a unit from which thresholds are taken, spread over all pictures."""
BEST = 10
Thresholds = Literal["information", "quantile"]


@dataclass
class MaskCounts:
    """Pixels of units' masks and of concepts over pictures; T thresholds, U units, L concepts; all int64."""

    both: np.ndarray
    """(T, U, L)"""
    mask: np.ndarray
    """(T, U)"""
    truth: np.ndarray
    """(L,)"""
    pixels: int = 0

    @classmethod
    def zero(cls, thresholds: int, units: int, concepts: int) -> MaskCounts:
        """Returns the counts over no picture."""
        shapes = (thresholds, units, concepts), (thresholds, units), (concepts,)
        both, mask, truth = (np.zeros(shape, np.int64) for shape in shapes)
        return cls(both, mask, truth)

    def add(self, maps: Tensor, shown: Tensor, thresholds: Tensor) -> None:
        """Adds pictures: maps (N, U, h, w), shown (N, L, H, W) bool, thresholds (T, U)."""
        large = F.interpolate(maps, shown.shape[2:], mode="bilinear", align_corners=False)
        values, labels = large.transpose(0, 1).flatten(1), shown.transpose(0, 1).flatten(1).float()
        for row, bars in enumerate(thresholds):
            mask = (values > bars[:, None]).float()
            self.both[row] += (mask @ labels.T).round().long().numpy()
            self.mask[row] += mask.sum(1).long().numpy()
        self.truth += labels.sum(1).long().numpy()
        self.pixels += labels.shape[1]

    def iou(self) -> np.ndarray:
        """Returns (T, U, L) float64, 0 where neither has a pixel."""
        either = self.mask[..., None] + self.truth - self.both
        return self.both / np.maximum(either, 1)

    def information_quality(self) -> np.ndarray:
        """Returns I(X; Y) / H(X, Y) of "in the mask" and "shows the concept", (T, U, L) float64 in 0..1."""
        n = max(self.pixels, 1)
        both, mask, truth = self.both / n, self.mask[..., None] / n, self.truth / n
        joint = np.stack([both, mask - both, truth - both, 1 - mask - truth + both])
        joint_entropy = _entropy(joint)
        own = _entropy(np.stack([mask, 1 - mask])) + _entropy(np.stack([truth, 1 - truth]))
        information = np.where(self.both * n > self.mask[..., None] * self.truth, own - joint_entropy, 0)
        return np.clip(information, 0, None) / np.maximum(joint_entropy, 1e-12)


def _entropy(shares: np.ndarray) -> np.ndarray:
    """Returns the entropy in nats of shares along the first axis; counts may leave them a little below 0."""
    known = np.clip(shares, 1e-15, 1)
    return -(known * np.log(known)).sum(0)


@dataclass(frozen=True)
class GeneratorDissection:
    """What the units of a layer paint."""

    layer: str
    findings: list[UnitFinding]
    """In the order of the units."""
    thresholds: np.ndarray
    """(U,) float32: that of each unit for its best concept."""
    levels: np.ndarray
    """(U, L) float32: the mean activation of each unit where each concept is shown; 0 for concepts never shown."""
    best: TopK
    """The codes for which each unit is most active."""
    unit_pixels: np.ndarray
    """(U,) int64."""
    pictures: int
    concepts: tuple[Concept, ...]


def dissect_units(
    generator: GeneratorLayer,
    reader: PixelReader,
    codes: Tensor,
    how: Thresholds = "information",
    quantile: float = 0.005,
) -> Iterator[float | GeneratorDissection]:
    """Yields the share of the work that is done, 0..1, and at last the dissection.

    With "information", thresholds are chosen on the first half of the codes (N, …) and the IoU is that of the second.
    Raises InputError for a share of positions that is none, or a single code whose half would be needed.
    """
    if not 0 < quantile < 1:
        raise InputError(f"quantile {quantile:g}: a share above 0 and below 1 is needed, such as .005")
    if how == "information" and len(codes) < 2:
        raise InputError("1 picture: thresholds are chosen on half of the pictures; at least 2 are needed")
    maps, _ = generator.maps_and_pictures(codes)
    thresholds = _thresholds(maps, SHARES) if how == "information" else _thresholds(maps, (quantile,))[:1]
    half = len(codes) // 2 if how == "information" else 0
    units, count = maps.shape[1], len(reader.concepts)
    chosen, counted = (MaskCounts.zero(len(thresholds), units, count) for _ in range(2))
    sums, cells = np.zeros((units, count)), np.zeros(count)
    for start in range(0, len(codes), BATCH):
        stop = min(start + BATCH, half if start < half else len(codes))
        part, own = codes[start:stop], maps[start:stop]
        shown = reader.shown(generator.maps_and_pictures(part)[1], part)
        (chosen if start < half else counted).add(own, shown, thresholds)
        small = F.adaptive_avg_pool2d(shown.float(), generator.size).gt(0.5).float()
        sums += torch.einsum("nuhw,nlhw->ul", own, small).numpy()
        cells += small.sum((0, 2, 3)).numpy()
        yield stop / len(codes)
    quality = (chosen if half else counted).information_quality()
    rows = quality.argmax(0)  # (U, L): the threshold of each pair
    findings = _findings(counted, rows, reader.concepts)
    places = np.array([[c.name for c in reader.concepts].index(found.best.concept) for found in findings])
    best_rows = rows[np.arange(units), places]
    flat = maps.flatten(2)
    values, where = (found.T.numpy() for found in flat.max(2))
    top = TopK.empty(units, BEST).merged(
        TopK.of(values, np.arange(len(codes)), np.stack([where // maps.shape[3], where % maps.shape[3]], 2))
    )
    yield GeneratorDissection(
        generator.layer,
        findings,
        thresholds.numpy()[best_rows, np.arange(units)],
        (sums / np.maximum(cells, 1)).astype(np.float32),
        top,
        counted.mask[best_rows, np.arange(units)],
        len(codes) - half,
        reader.concepts,
    )


def _thresholds(maps: Tensor, shares: tuple[float, ...]) -> Tensor:
    """Returns (T + 1, U) float32: the values that units of maps (N, U, h, w) exceed at these shares of positions.

    The last ones lie midway between a unit's median and its largest value, for units that are on or off.
    """
    values = maps.transpose(0, 1).flatten(1)
    values = values[:, :: -(-values.shape[1] // MAX_VALUES)]
    found = torch.quantile(values, 1 - torch.tensor(shares), 1)
    return torch.cat((found, (values.median(1).values + values.amax(1))[None] / 2))


def _findings(counts: MaskCounts, rows: np.ndarray, concepts: tuple[Concept, ...]) -> list[UnitFinding]:
    """Returns what each unit paints best in each category, by IoU at the threshold (U, L) of each pair."""
    units, labels = np.indices(rows.shape)
    iou, mask, both = counts.iou()[rows, units, labels], counts.mask[rows, units], counts.both[rows, units, labels]
    categories = list(dict.fromkeys(concept.category for concept in concepts))
    members = [[k for k, own in enumerate(concepts) if own.category == category] for category in categories]
    found = []
    for unit in range(len(rows)):
        matches = {}
        for category, own in zip(categories, members, strict=True):
            best = own[int(np.argmax(iou[unit, own]))]
            match = ConceptMatch(
                concepts[best].name, int(counts.truth[best]), int(mask[unit, best]), int(both[unit, best])
            )
            shares = counts.truth[best] / max(counts.pixels, 1), mask[unit, best] / max(counts.pixels, 1)
            matches[category] = replace(match, share=float(shares[0]), mask_share=float(shares[1]))
        found.append(UnitFinding(unit, matches))
    return found
