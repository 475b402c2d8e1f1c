"""Grids of a plate's panels: how many tiles, in how many columns and rows, of how many pixels each."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

EMPTY_COST = 7.0
"""What a share of empty cells counts for, against the logarithm of a wrong aspect."""


class PlateGrid(NamedTuple):
    """The grid of a panel."""

    columns: int
    rows: int
    shown: int
    """Number of channels that are shown; fewer than the layer has where tiles would be too small."""


@lru_cache(maxsize=8192)
def choose_grid(channels: int, aspect: float, area: float, shape: float, least: float) -> PlateGrid:
    """Returns the grid of a panel of about `area` mm² that is `shape` times as wide as high.

    aspect: width to height of a tile. least: shorter side of the smallest tile, mm. Of layers with too many channels
    for such tiles, a full grid is shown.
    """
    smallest = least * least * max(aspect, 1 / aspect)
    most = max(1, int(area / smallest))
    if channels > most:
        rows = max(1, round(math.sqrt(most * aspect / shape)))
        columns = max(1, most // rows)
        return PlateGrid(columns, rows, min(channels, columns * rows))
    ideal = math.sqrt(channels * aspect / shape)
    choices = range(min(max(1, int(ideal * 0.5)), channels), min(channels, math.ceil(ideal * 2) + 1) + 1)
    rows = min(choices, key=lambda rows: _cost(channels, rows, aspect, shape))
    return PlateGrid(-(-channels // rows), rows, channels)


def _cost(channels: int, rows: int, aspect: float, shape: float) -> float:
    columns = -(-channels // rows)
    empty = 1 - channels / (columns * rows)
    return abs(math.log(aspect * columns / rows / shape)) + EMPTY_COST * empty


def tile_pixels(
    grid: PlateGrid, width: float, height: float, aspect: float, pixel: float, most: float
) -> tuple[int, int]:
    """Returns width and height in pixels of the largest tiles that fit a panel with a gap of one pixel between them.

    width, height: of the panel, mm. aspect: width to height of a map. pixel: mm. most: a tile's longer side, mm. At
    least one pixel each.
    """
    across = (round(width / pixel, 3) + 1) / grid.columns - 1
    down = (round(height / pixel, 3) + 1) / grid.rows - 1
    across = min(across, down * aspect, most / pixel * min(aspect, 1.0))
    down = across / aspect
    return max(1, int(across + 1e-6)), max(1, int(down + 1e-6))
