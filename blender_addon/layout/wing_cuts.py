"""Positions where a long hall is split into wings, which stand side by side and fill a figure better."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .hall_model import HallLayout

MOST = 7
"""Greatest number of wings that is tried for a figure."""
MIN_SPAN_GAIN = 1.10
"""Factor by which a further wing must make the picture's span smaller."""


def single_tensor_positions(count: int, links: Iterable[tuple[int, int]]) -> np.ndarray:
    """Returns (n,) int positions before which exactly one tensor crosses: only there may a new wing begin."""
    last = np.arange(count)
    for source, target in links:
        last[source] = max(last[source], target)
    crossing = np.zeros(count + 2, int)
    np.add.at(crossing, np.arange(count) + 1, 1)
    np.add.at(crossing, last + 1, -1)
    return np.flatnonzero(np.cumsum(crossing)[:count] == 1)


def choose_cuts(hall: HallLayout, links: Iterable[tuple[int, int]], wings: int) -> list[int]:
    """Returns the positions where the second to the last of `wings` wings begin, for a hall laid out in one wing.

    They are the allowed positions nearest to equal lengths; a stage's first panel is preferred by a quarter of a wing,
    and pieces of one to five panels are avoided by as much. There are fewer where few positions are allowed.
    """
    allowed = [int(k) for k in single_tensor_positions(len(hall.slots), links) if hall.slots[k].kind != "join"]
    if wings < 2 or not allowed:
        return []
    wing = hall.wings[0].end / wings
    y = np.array([hall.slots[k].y for k in allowed])
    price = np.array([_price(hall, k) for k in allowed]) * wing / 4
    return sorted({allowed[int(np.argmin(np.abs(y - j * wing) + price))] for j in range(1, wings)})


def _price(hall: HallLayout, k: int) -> int:
    stage = hall.stages[hall.slots[k].stage]
    return int(min(k - stage.first, stage.last + 1 - k) in range(1, 6)) - int(k == stage.first)
