"""Scores a heat map by how a class's probability changes as its regions are inserted or deleted, hottest first.

Petsiuk, Das and Saenko 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models", section 4; in
regions as in Samek et al. 2017, "Evaluating the Visualization of What a Deep Neural Network Has Learned".
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..method_support.method import Step
from ..recording.errors import ModelError
from .batches import run_batches
from .explained_values import ExplainedValues


class PixelCurves(NamedTuple):
    """The probability after each step, from no pixel to all."""

    insertion: np.ndarray
    """(steps + 1,) float64: pixels of the input appear over its blurred picture."""
    deletion: np.ndarray
    """(steps + 1,) float64: pixels of the input are replaced by grey."""

    @property
    def insertion_area(self) -> float:
        """The mean probability while pixels are inserted, 0..1; higher is better."""
        return curve_area(self.insertion)

    @property
    def deletion_area(self) -> float:
        """The mean probability while pixels are deleted, 0..1; lower is better."""
        return curve_area(self.deletion)

    @property
    def score(self) -> float:
        """Insertion minus deletion, -1..1; 0 for an order that tells nothing."""
        return self.insertion_area - self.deletion_area


def curve_area(curve: np.ndarray) -> float:
    """Returns the area under a curve, (n,) values at equal distances over 0..1, by the trapezoidal rule."""
    return float((curve[:-1] + curve[1:]).mean() / 2)


def region_ranks(heat: np.ndarray, cells: int, seed: int) -> np.ndarray:
    """(H, W) heat -> (H, W) int64: 0 for the hottest region, and so on; a region is a cell of a grid over the picture.

    Scattered pixels blind a network whatever they show, so a map of noise would win if they were taken one by one.
    cells: of each side; 0 for regions of one pixel. Equal regions are ordered by chance, seeded.
    """
    rows, columns = (np.arange(length) * min(cells or length, length) // length for length in heat.shape)
    number = rows[:, None] * (columns[-1] + 1) + columns
    means = np.bincount(number.ravel(), heat.ravel()) / np.bincount(number.ravel())
    chance = np.random.default_rng(seed).random(means.size)
    ranks = np.empty(means.size, np.int64)
    ranks[np.lexsort((chance, -means))] = np.arange(means.size)
    return ranks[number]


def measure_curves(
    explained: ExplainedValues, ranks: np.ndarray, ends: tuple[Tensor, Tensor], steps: int
) -> Generator[Step, None, PixelCurves]:
    """Returns both curves of a class; yields a step after each few of its 2 (steps + 1) pictures.

    ranks: (H, W), see `region_ranks`. ends: (1, C, H, W) pictures that pixels are inserted into, and that replaces
    deleted ones. Raises ModelError if a probability is not finite.
    """
    picture, curves = explained.picture, np.zeros(2 * (steps + 1))
    regions = int(ranks.max()) + 1
    places = torch.from_numpy(ranks).to(picture.device)

    def run(numbers: range) -> None:
        pictures = []
        for number in numbers:
            is_deletion, step = divmod(number, steps + 1)
            hot = places < round(step / steps * regions)
            pictures.append(torch.where(hot, ends[1], picture) if is_deletion else torch.where(hot, picture, ends[0]))
        values = explained.measure(torch.cat(pictures))[:, 0].double().cpu().numpy()
        if not np.isfinite(values).all():
            raise ModelError(f"{explained.layer}: the probability of the class is not finite")
        curves[numbers.start : numbers.stop] = values

    for done in run_batches(len(curves), explained.copies, run):
        yield Step(done / len(curves), f"curves, picture {done} of {len(curves)}")
    return PixelCurves(curves[: steps + 1], curves[steps + 1 :])
