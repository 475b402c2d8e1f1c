"""Leaders: the lines from a tile that is called out, along the gap below it, to the edge of its panel."""

from __future__ import annotations

from collections.abc import Sequence

from .model import Point

Piece = tuple[Point, Point]


def shown_places(ranked: Sequence[int], count: int) -> list[int]:
    """Returns the places of the channels that a panel shows, in their order: the first `count` of a ranking."""
    return sorted(ranked[:count])


def leader(tile: tuple[float, float, float, float], end: Point) -> tuple[Piece, ...]:
    """Returns the level and upright pieces from a tile (left, top, right and bottom, mm) to a point right of it.

    A tile that ends there needs none.
    """
    left, top, right, bottom = tile
    if top <= end[1] <= bottom:
        return (((right, end[1]), end),) if right < end[0] - 0.01 else ()
    x = (left + right) / 2
    return ((x, top if end[1] < top else bottom), (x, end[1])), ((x, end[1]), end)
