"""Wings: where a long network goes on beside itself, so that a figure is filled."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .model import Hall

MOST = 7
"""Wings that are tried for a figure."""
PRICE = 1.10
"""A further wing must make the picture's span smaller by this factor."""


def single_tensor_positions(count: int, links: Iterable[tuple[int, int]]) -> np.ndarray:
    """(n,) positions before which exactly one tensor crosses: only there may a network go on in a new wing."""
    last = np.arange(count)
    for source, target in links:
        last[source] = max(last[source], target)
    crossing = np.zeros(count + 2, int)
    np.add.at(crossing, np.arange(count) + 1, 1)
    np.add.at(crossing, last + 1, -1)
    return np.flatnonzero(np.cumsum(crossing)[:count] == 1)


def choose_cuts(hall: Hall, links: Iterable[tuple[int, int]], wings: int) -> list[int]:
    """Positions where `wings` wings of a hall planned in one wing begin, first left out; fewer where bridges are few.

    The bridges nearest to equal lengths; a stage's first panel is preferred by a quarter of a wing, and pieces of one
    to five panels cost as much.
    """
    allowed = [int(k) for k in single_tensor_positions(len(hall.slots), links) if hall.slots[k].kind != "join"]
    if wings < 2 or not allowed:
        return []
    wing = hall.wings[0].end / wings
    y = np.array([hall.slots[k].y for k in allowed])
    price = np.array([_price(hall, k) for k in allowed]) * wing / 4
    return sorted({allowed[int(np.argmin(np.abs(y - j * wing) + price))] for j in range(1, wings)})


def _price(hall: Hall, k: int) -> int:
    stage = hall.stages[hall.slots[k].stage]
    return int(min(k - stage.first, stage.last + 1 - k) in range(1, 6)) - int(k == stage.first)
