"""Arrangement of pictures in a grid."""

from __future__ import annotations

import math


def near_square(count: int) -> tuple[int, int]:
    """The (rows, columns) of the smallest near-square grid with room for `count` cells; columns >= rows."""
    columns = max(math.ceil(math.sqrt(count)), 1)
    return max(-(-count // columns), 1), columns
