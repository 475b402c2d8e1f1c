"""Labels of concepts at the foot of tiles, each behind a chip with the letter and colour of its category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..imaging.tile_grids import TileGrid
from .board_contents.chart_bars import series_colour, series_letters
from .primitives import FLAT, Plan

MOST_LABELS = 160
"""Labels of one panel; those of the channels with the largest values are drawn."""
SIZE, LEAST, MOST = 0.17, 0.010, 0.075
"""Size of a label as a share of the tile's shorter side, and its bounds in metres."""
LIFT = 0.014
"""Metres before the tiles: over boxes and numbers of channels."""


class TileLabel(NamedTuple):
    """What a channel stands for."""

    place: int
    """Of its tile on the grid."""
    text: str
    category: int
    """Place of its category, from 0."""


def label_size(grid: TileGrid) -> float:
    """Returns the most size of a label in metres."""
    return float(np.clip(SIZE * min(grid.cell), LEAST, MOST))


def strongest(labels: Sequence[TileLabel], values: np.ndarray) -> list[TileLabel]:
    """Returns the labels with the largest |values| (n,), as many as a panel shows, in their order."""
    kept = np.sort(np.argsort(-np.abs(values), kind="stable")[:MOST_LABELS])
    return [labels[place] for place in kept]


def add_tile_labels(plan: Plan, labels: Sequence[TileLabel], categories: Sequence[str], grid: TileGrid) -> None:
    """Adds a label to each tile, as wide as the tile at most. categories: their names, () where they aren't known."""
    letters = series_letters(categories)
    for place, text, category in labels:
        (left, bottom), (right, _) = grid.inside(place, 0.0, 1.0), grid.inside(place, 1.0, 1.0)
        letter = letters[category] if category < len(letters) else ""
        lengths = plan.style.measure(text, "sans") + 0.5, 1.2 * bool(letter)
        size = min(label_size(grid), float(right - left) / sum(lengths))
        x, y, height = float(left), float(bottom), 1.2 * size
        if letter:
            plan.box(FLAT, (x, x + height), (y, y + height), series_colour(category), LIFT)
            middle = x + height / 2
            plan.text(FLAT, letter, size, "board", x=middle, y=y + 0.3 * size, align="centre", lift=LIFT + 0.002)
            x += height
        plan.box(FLAT, (x, x + lengths[0] * size), (y, y + height), "board", LIFT)
        plan.text(FLAT, text, size, x=x + 0.25 * size, y=y + 0.3 * size, lift=LIFT + 0.002)
