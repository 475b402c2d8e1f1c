"""Numbers without a picture: embeddings as bars, sequences and matrices as coloured cells, graphs as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..number_text import format_number
from ..primitives import FLAT, Plan
from .area import Area

MOST_BARS, MOST_CELLS = 256, 4096
"""Bars of an embedding, and cells of a map, that are drawn."""
MOST_EMBEDDINGS = 5
"""Embeddings that are drawn, one below the other."""
TABLE_ROWS, TABLE_COLUMNS = 9, 5
"""Rows and columns of a table that are shown."""


def add_embeddings(plan: Plan, values: np.ndarray, labels: Sequence[str], area: Area) -> None:
    """Adds a row of upright bars for each embedding in `values` (rows, columns), all on one scale around zero."""
    shown = _finite(values)[:MOST_EMBEDDINGS, :MOST_BARS]
    peak = np.abs(shown).max(initial=0.0) or 1.0
    for number, row in enumerate(shown):
        strip = area.row(number, len(shown), 0.1)
        size = min(0.16, 0.2 * strip.height)
        if labels:
            text = labels[number]
            plan.text(FLAT, text, plan.style.fit(text, strip.width, size), "quiet", x=strip.left, y=strip.top - size)
            strip = strip._replace(height=strip.height - 1.3 * size)
        _add_bars(plan, row / peak, strip)


def _add_bars(plan: Plan, shares: np.ndarray, strip: Area) -> None:
    """Adds upright bars of -1..1 of half the strip's height, and the line at zero."""
    middle = strip.bottom + strip.height / 2
    plan.box(FLAT, (strip.left, strip.right), (middle - 0.004, middle + 0.004), "track", 0.012)
    x = np.linspace(strip.left, strip.right, len(shares) + 1)
    gap = 0.15 * (x[1] - x[0])
    across = np.stack([x[:-1] + gap, x[1:] - gap, x[1:] - gap, x[:-1] + gap], 1)
    end = middle + shares * strip.height / 2
    low, high = np.minimum(end, middle), np.maximum(end, middle)
    colours = np.where((shares < 0)[:, None], plan.style.colour("skip"), plan.style.colour("bar"))
    plan.quads(FLAT.points(across, np.stack([low, low, high, high], 1), 0.018), colours)


def add_cells(plan: Plan, values: np.ndarray, area: Area) -> Area:
    """Adds a cell for each of `values` (rows, columns), the first row at the top: the larger, the more colour.

    Returns the part of the area that is taken: cells are at most as high as wide.
    """
    columns = values.shape[1]
    shown = _finite(values)[: max(1, MOST_CELLS // columns)]
    rows = len(shown)
    taken = area.middle_strip(min(area.height, max(area.width / columns * rows, 0.04 * rows)))
    shares = shown / (np.abs(shown).max(initial=0.0) or 1.0)
    x, y = np.linspace(taken.left, taken.right, columns + 1), np.linspace(taken.top, taken.bottom, rows + 1)
    left, right = (np.broadcast_to(side, shares.shape).ravel() for side in (x[:-1], x[1:]))
    high, low = (np.broadcast_to(side[:, None], shares.shape).ravel() for side in (y[:-1], y[1:]))
    corners = FLAT.points(np.stack([left, right, right, left], 1), np.stack([low, low, high, high], 1), 0.018)
    plan.quads(corners, _cell_colours(plan, shares.ravel()))
    return taken


def _cell_colours(plan: Plan, shares: np.ndarray) -> np.ndarray:
    """Returns (n, 3) linear RGB of values (n,) in -1..1, from the colour of a track to that of a bar or of a minus."""
    track = plan.style.colour("track")
    ends = np.where((shares < 0)[:, None], plan.style.colour("skip"), plan.style.colour("bar"))
    return track + (ends - track) * np.abs(shares)[:, None]


def add_table(plan: Plan, values: np.ndarray, head: Sequence[str], rows: Sequence[str], area: Area) -> Area:
    """Adds a table of `values` (rows, columns) with a line of column names over it and a name before each row.

    Returns the part of the area that is taken; rows and columns that have no room are counted in its last line.
    """
    shown, count = values[:TABLE_ROWS, :TABLE_COLUMNS], min(len(values), TABLE_ROWS)
    taken = area.middle_strip((count + 2) * area.width / 9)
    size, wide = 0.55 * taken.height / (count + 2), taken.width / (shown.shape[1] + 1)
    lines = [["", *head[: shown.shape[1]]]]
    lines += [[rows[k], *map(format_number, shown[k])] for k in range(count)]
    for number, line in enumerate(lines):
        strip = taken.row(number, count + 2)
        if number % 2:
            plan.box(FLAT, (strip.left, strip.right), (strip.bottom, strip.top), "track", 0.012)
        for column, text in enumerate(line):
            ink = "text" if number and column else "quiet"
            end, fitted = strip.left + (column + 1) * wide - 0.3 * size, plan.style.fit(text, wide - 0.4 * size, size)
            plan.text(FLAT, text, fitted, ink, x=end, y=strip.bottom + 0.3 * strip.height, align="right")
    hidden = np.maximum(np.subtract(values.shape, shown.shape), 0)
    names = ("row", "column")
    more = ", ".join(f"{n:,} more {name}{'s' if n > 1 else ''}" for n, name in zip(hidden, names, strict=True) if n)
    if more:
        strip = taken.row(count + 1, count + 2)
        plan.text(FLAT, f"and {more}", size, "quiet", x=strip.right - 0.3 * size, y=strip.bottom, align="right")
    return taken


def _finite(values: np.ndarray) -> np.ndarray:
    """Returns values (rows, columns) as float64 with 0 for NaN and infinity."""
    return np.nan_to_num(values.astype(float), posinf=0.0, neginf=0.0)
