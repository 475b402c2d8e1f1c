"""Labels on tiles behind chips in the colour of their category: concepts at the foot, names by people at the head."""

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


class GivenLabel(NamedTuple):
    """What people have named a channel."""

    place: int
    """Of its tile on the grid."""
    text: str
    category: int
    """Place of its category, from 0."""
    mark: str
    """Who has named it: initials, or how many of how many."""


def add_tile_labels(plan: Plan, labels: Sequence[TileLabel], categories: Sequence[str], grid: TileGrid) -> None:
    """Adds a label to each tile, as wide as the tile at most. categories: their names, () where they aren't known."""
    letters = series_letters(categories)
    for place, text, category in labels:
        letter = letters[category] if category < len(letters) else ""
        _add_label(plan, grid, place, text, letter, series_colour(category), 1.0)


def add_given_labels(plan: Plan, labels: Sequence[GivenLabel], grid: TileGrid) -> None:
    """Adds names by people to their tiles, at the head, where no concept's label is; as wide as the tile at most."""
    for place, text, category, mark in labels[:MOST_LABELS]:
        _add_label(plan, grid, place, f"“{text}”", mark, series_colour(category), 0.0)


def _add_label(plan: Plan, grid: TileGrid, place: int, text: str, chip: str, colour: str, row: float) -> None:
    """Adds a text with a chip before it. chip: its text, "" for none. row: 1 at the foot of the tile, 0 at its head."""
    (left, edge), (right, _) = grid.inside(place, 0.0, row), grid.inside(place, 1.0, row)
    widths = plan.style.measure(text, "sans") + 0.5, max(1.2, plan.style.measure(chip, "sans") + 0.5) if chip else 0.0
    size = min(label_size(grid), float(right - left) / sum(widths))
    height = 1.2 * size
    x, y = float(left), float(edge) - (0.0 if row else height)
    if chip:
        plan.box(FLAT, (x, x + widths[1] * size), (y, y + height), colour, LIFT)
        middle = x + widths[1] * size / 2
        plan.text(FLAT, chip, size, "board", x=middle, y=y + 0.3 * size, align="centre", lift=LIFT + 0.002)
        x += widths[1] * size
    plan.box(FLAT, (x, x + widths[0] * size), (y, y + height), "board", LIFT)
    plan.text(FLAT, text, size, x=x + 0.25 * size, y=y + 0.3 * size, lift=LIFT + 0.002)
