"""Several pictures of one size as one: a near-square grid of them with thin lines between."""

from __future__ import annotations

import math

import numpy as np

LINE = 1
"""Pixels between two pictures."""


def mosaic(pictures: np.ndarray, grey: int = 64) -> np.ndarray:
    """Returns the pictures (n, H, W, 3) uint8 in rows from the upper left, as one picture (H', W', 3) uint8.

    One picture stays as it is. grey: of the lines between them and of empty places.
    """
    count, height, width, _ = pictures.shape
    if count == 1:
        return pictures[0]
    rows, columns = mosaic_grid(count, height, width)
    result = np.full((rows * (height + LINE) - LINE, columns * (width + LINE) - LINE, 3), grey, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        y, x = row * (height + LINE), column * (width + LINE)
        result[y : y + height, x : x + width] = picture
    return result


def split_mosaic(picture: np.ndarray, count: int, columns: int) -> np.ndarray | None:
    """Returns the `count` pictures (n, H, W, 3) of a mosaic (H', W', 3); None if it can't be one of so many."""
    if not 0 < columns <= count:
        return None
    rows, (total, across) = -(-count // columns), picture.shape[:2]
    height, width = (total + LINE) // rows - LINE, (across + LINE) // columns - LINE
    if height < 1 or width < 1 or (rows * (height + LINE), columns * (width + LINE)) != (total + LINE, across + LINE):
        return None
    places = (divmod(number, columns) for number in range(count))
    starts = [(row * (height + LINE), column * (width + LINE)) for row, column in places]
    return np.stack([picture[y : y + height, x : x + width] for y, x in starts])


def mosaic_grid(count: int, height: int, width: int) -> tuple[int, int]:
    """Returns rows and columns of the mosaic of `count` pictures of this size that is nearest to a square."""
    options = ((-(-count // columns), columns) for columns in range(1, count + 1))
    return min(options, key=lambda grid: (abs(math.log(grid[1] * width / (grid[0] * height))), grid[0]))
