"""Learns concept vectors: weights of a layer's units whose masks, summed, cover the pixels of a concept.

Fong and Vedaldi 2018, "Net2Vec: Quantifying and Explaining how Concepts are Encoded by Filters in Deep Neural
Networks". With the masks B_k of units and weights w, M = sigmoid(up(sum_k w_k B_k)) maximises the mean over the
pictures that show the concept of sum(alpha M L + (1 - alpha)(1 - M)(1 - L)) over pixels; L is the concept's label, and
alpha is 1 less its mean share of these pixels. There is no bias: M > .5 is where the weighted sum is above 0.
That only pictures with the concept count, and that the rate is scaled to labels of RATE_PIXELS, are choices of ours.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from ..dissection.tally import LabelPlanes, count_pixels
from ..recording.errors import InputError
from .concept_vectors import ConceptVectors
from .mask_store import MaskStore
from .presence_probe import probe_accuracy

BATCH, MOMENTUM, RATE = 16, 0.9, 1e-4
"""Pictures of a step, and settings of the descent."""
RATE_PIXELS = 112 * 112
"""Pixels of labels, those of Broden, for which the rate is right."""
HELD_OUT = 0.25
"""Share of the pictures that are only for validation."""
LEAST_TRAINED, LEAST_HELD_OUT = 5, 2
"""Pictures with a concept that its vector needs, of those for training and for validation."""
LOOKED = 0.2
"""Share of the whole work after the best single units are found."""


@dataclass(frozen=True)
class VectorSettings:
    """How vectors are learnt."""

    epochs: int = 30
    top: int = 8
    """Units that the small combination has."""
    seed: int = 0
    """Of the split into training and validation, and of the order of pictures."""


class _Examples(NamedTuple):
    """Pictures that show a concept."""

    active: list[np.ndarray]
    """For each (n,) int32: where units are active, as in MaskStore."""
    labels: np.ndarray
    """(N, H * W / 8) uint8: which pixels show the concept, as bits."""
    size: tuple[int, int]
    """(H, W)."""

    def label_masks(self, rows: np.ndarray) -> np.ndarray:
        """Returns (n, H, W) bool of some pictures."""
        height, width = self.size
        bits = np.unpackbits(self.labels[rows], axis=1, count=height * width)
        return bits.view(bool).reshape(len(rows), height, width)


class _Looked(NamedTuple):
    """What a look at all pictures found."""

    means: np.ndarray
    """(n, U) float32: the units' masks, averaged over positions."""
    shows: np.ndarray
    """(n, L) bool: which labels occur."""
    overlap: np.ndarray
    """(U, L) float32: IoU of each unit's mask with each label, over the pictures for training that show it."""


class VectorTraining:
    """Learns the vectors of all concepts for one layer."""

    def __init__(self, store: MaskStore, layer: str, thresholds: np.ndarray, settings: VectorSettings) -> None:
        """thresholds: (U,) float32, those of the masks in the store."""
        self.store, self.layer, self.thresholds, self.settings = store, layer, thresholds, settings
        self._random = np.random.default_rng(settings.seed)
        order, held_out = self._random.permutation(len(store)), round(len(store) * HELD_OUT)
        self.trained, self.held_out = np.sort(order[held_out:]), np.sort(order[:held_out])

    def run(self) -> Generator[float, None, ConceptVectors]:
        """Yields the share that is done; returns the vectors. Raises InputError without a concept with pictures."""
        looked = yield from self._look()
        concepts = self._concepts(looked.shows)
        best = looked.overlap[:, concepts].argmax(0)
        full, few = (np.zeros((len(concepts), len(self.thresholds)), np.float32) for _ in range(2))
        scores = np.zeros((len(concepts), 7), np.float32)
        for row, concept in enumerate(concepts.tolist()):
            sides = [
                self._examples(concept, side[looked.shows[side, concept]]) for side in (self.trained, self.held_out)
            ]
            learn = self._learn(sides[0], int(best[row]))
            done = LOOKED + (1 - LOOKED) * row / len(concepts)
            kinds = yield from _while_at(learn, done)
            scores[row, :6] = np.stack([self._overlaps(kinds, side) for side in sides], 1).reshape(-1)
            full[row], few[row] = kinds[1:]
        scores[:, 6] = probe_accuracy(looked.means, looked.shows[:, concepts], self.trained, self.held_out)
        named = tuple(self.store.concepts.concept_table[number - 1] for number in concepts)
        return ConceptVectors(self.layer, named, full, self.thresholds, best.astype(np.int32), scores, few)

    def _look(self) -> Generator[float, None, _Looked]:
        """Looks at all pictures, one after the other."""
        count, units, labels = len(self.store), len(self.thresholds), len(self.store.category_of)
        means, shows = np.zeros((count, units), np.float32), np.zeros((count, labels), bool)
        both, either, is_trained = (
            np.zeros((units, labels)),
            np.zeros((units, labels)),
            np.isin(range(count), self.trained),
        )
        for number in range(count):
            masks, planes = self.store.masks(self.layer, number), self.store.planes(self.layer, number)
            means[number] = masks[0].mean((1, 2)).numpy()
            present = np.flatnonzero(planes.label_pixels)
            shows[number, present] = True
            if is_trained[number]:
                found = count_pixels(masks, planes, torch.zeros(units))
                own = found.both.rows(0, units)[:, present]
                both[:, present] += own
                either[:, present] += found.unit_pixels[:, None] + found.label_pixels[present] - own
            yield LOOKED * (number + 1) / count
        return _Looked(means, shows, (both / np.maximum(either, 1)).astype(np.float32))

    def _concepts(self, shows: np.ndarray) -> np.ndarray:
        """Returns the numbers of the concepts that enough pictures show."""
        enough = shows[self.trained].sum(0) >= LEAST_TRAINED
        enough &= shows[self.held_out].sum(0) >= LEAST_HELD_OUT
        if not enough.any():
            raise InputError(
                f"{self.store.concepts.name}: no concept is in {LEAST_TRAINED} pictures for training and "
                f"{LEAST_HELD_OUT} others, of {len(self.store)}; look at more pictures"
            )
        return np.flatnonzero(enough)

    def _examples(self, concept: int, pictures: np.ndarray) -> _Examples:
        labels, size = [], (0, 0)
        for number in pictures.tolist():
            planes = self.store.planes(self.layer, number)
            labels.append(np.packbits(_label_mask(planes, concept)))
            size = planes.size
        return _Examples([self.store.active(self.layer, number) for number in pictures], np.stack(labels), size)

    def _learn(self, examples: _Examples, best: int) -> Generator[None, None, np.ndarray]:
        """Returns (3, U) float32: the best unit alone, the weights of all units, and those of a few."""
        single = np.zeros(len(self.thresholds), np.float32)
        single[best] = 1.0
        full = yield from self._descend(examples, np.ones_like(single))
        free = np.zeros_like(full)
        free[np.argsort(-np.abs(full), kind="stable")[: self.settings.top]] = 1.0
        few = yield from self._descend(examples, free)
        kinds = np.stack([single, full, few])
        overlaps = self._overlaps(kinds, examples)
        kinds[overlaps < overlaps[0]] = single  # the unit alone is a combination too, and a better one
        return kinds

    def _descend(self, examples: _Examples, free: np.ndarray) -> Generator[None, None, np.ndarray]:
        """Returns weights (U,) float32. free: (U,) float32, 1 for those that may differ from 0."""
        weights, speed = np.zeros_like(free), np.zeros_like(free)
        alpha = 1 - _mean_share(examples)
        scale = RATE_PIXELS / (examples.size[0] * examples.size[1])
        for _ in range(self.settings.epochs):
            order = self._random.permutation(len(examples.active))
            for rows in np.split(order, range(BATCH, len(order), BATCH)):
                sums = _WeightedSums(examples, rows, self.store.shapes[self.layer])
                found = 1 / (1 + np.exp(-sums.enlarged(weights)))
                gain = examples.label_masks(rows).astype(np.float32) - np.float32(1 - alpha)
                slope = sums.by_unit(gain * found * (1 - found)) * (scale / len(rows))
                speed = (MOMENTUM * speed - slope * free).astype(np.float32)
                weights -= np.float32(RATE) * speed
            yield
        return weights

    def _overlaps(self, kinds: np.ndarray, examples: _Examples) -> np.ndarray:
        """Returns (n,) float64: the IoU of combinations (n, U) with the concept."""
        both, either = np.zeros(len(kinds)), np.zeros(len(kinds))
        for rows in np.split(np.arange(len(examples.active)), range(BATCH, len(examples.active), BATCH)):
            labels, sums = examples.label_masks(rows), _WeightedSums(examples, rows, self.store.shapes[self.layer])
            for kind, weights in enumerate(kinds):
                found = sums.enlarged(weights) > 0
                both[kind] += (found & labels).sum()
                either[kind] += (found | labels).sum()
        return both / np.maximum(either, 1)


class _WeightedSums:
    """Sums of units' masks over some pictures, of which few positions are active."""

    def __init__(self, examples: _Examples, rows: np.ndarray, shape: tuple[int, int, int]) -> None:
        units, height, width = shape
        parts = [examples.active[row] for row in rows]
        joined = np.concatenate(parts).astype(np.int64)
        picture = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        self._unit, position = np.divmod(joined, height * width)
        self._place, self._shape = picture * (height * width) + position, (len(parts), height, width)
        self._rows, self._columns = _shares(height, examples.size[0]), _shares(width, examples.size[1])
        self._units = units

    def enlarged(self, weights: np.ndarray) -> np.ndarray:
        """Returns (n, H, W) float32: up(sum_k w_k B_k) for weights (U,), bilinear."""
        flat = np.bincount(self._place, weights[self._unit], math.prod(self._shape)).astype(np.float32)
        found: np.ndarray = self._rows @ flat.reshape(self._shape) @ self._columns.T
        return found

    def by_unit(self, slopes: np.ndarray) -> np.ndarray:
        """Returns (U,) float64: the slope along each weight of what has slopes (n, H, W) along the enlarged sums."""
        small = self._rows.T @ slopes @ self._columns
        return np.bincount(self._unit, small.reshape(-1)[self._place], self._units)


@lru_cache(8)
def _shares(cells: int, pixels: int) -> np.ndarray:
    """Returns (pixels, cells) float32: the share that each position of a map has in each pixel, bilinear."""
    one_by_one = torch.eye(cells)[None]
    return F.interpolate(one_by_one, size=pixels, mode="linear", align_corners=False)[0].T.contiguous().numpy()


def _mean_share(examples: _Examples) -> float:
    """Returns the concept's mean share of the pixels."""
    pixels = sum(int(np.unpackbits(row).sum()) for row in examples.labels)
    return pixels / (len(examples.labels) * math.prod(examples.size))


def _while_at(steps: Generator[None, None, np.ndarray], share: float) -> Generator[float, None, np.ndarray]:
    """Yields the same share for each step; returns what the steps return."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: np.ndarray = stop.value
            return result
        yield share


def _label_mask(planes: LabelPlanes, concept: int) -> np.ndarray:
    """Returns (H, W) bool: which pixels of the only picture show a concept that occurs in it."""
    place = int(np.searchsorted(planes.numbers, concept))
    inside = (planes.planes == place).any(1).view(planes.size).numpy()
    return inside | bool((planes.whole == place).any())
