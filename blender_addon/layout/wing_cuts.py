"""Positions where a long hall is split into wings, which stand side by side and fill a figure better."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .hall_model import HallLayout

MOST = 7
"""Greatest number of wings that is tried for a figure."""
MIN_SPAN_GAIN = 1.03
"""Factor by which a further wing must make the picture's span smaller."""
HOPELESS = 1.2
"""Span over the smallest one beyond which still more wings are of no use."""
PREFERENCES = (0.08, 0.03)
"""Shares of a wing's length by which a better position may be farther away."""
MOST_TENSORS = 4
"""Further tensors that count."""


def crossing_tensors(count: int, links: Iterable[tuple[int, int]]) -> np.ndarray:
    """Returns (n,) int: how many tensors cross to the positions from each one on."""
    last = np.arange(count)
    for source, target in links:
        last[source] = max(last[source], target)
    crossing = np.zeros(count + 2, int)
    np.add.at(crossing, np.arange(count) + 1, 1)
    np.add.at(crossing, last + 1, -1)
    return np.cumsum(crossing)[:count]


def choose_cuts(
    hall: HallLayout, links: Iterable[tuple[int, int]], wings: int, preference: float = PREFERENCES[0]
) -> list[int]:
    """Returns the positions where the second to the last of `wings` wings begin, for a hall laid out in one wing.

    They are the positions nearest to equal lengths; a stage's first panel is preferred by that share of a wing, pieces
    of one to five panels are avoided by as much, and so is each further tensor that crosses to the next wing.
    """
    tensors = crossing_tensors(len(hall.slots), links)
    allowed = [slot.index for slot in hall.slots[1:] if slot.kind != "join"]
    if wings < 2 or not allowed:
        return []
    wing = hall.wings[0].end / wings
    y = np.array([hall.slots[k].y for k in allowed])
    price = np.array([_price(hall, k) + min(max(tensors[k] - 1, 0), MOST_TENSORS) for k in allowed])
    return sorted({allowed[int(np.argmin(np.abs(y - j * wing) + preference * wing * price))] for j in range(1, wings)})


def _price(hall: HallLayout, k: int) -> int:
    stage = hall.stages[hall.slots[k].stage]
    return int(min(k - stage.first, stage.last + 1 - k) in range(1, 6)) - int(k == stage.first)
