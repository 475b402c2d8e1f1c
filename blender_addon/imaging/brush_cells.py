"""Which places of a map a round brush covers. No bpy here."""

from __future__ import annotations

import numpy as np


def brush_cells(across: float, down: float, size: float, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Returns the (row, column) of the positions of a map (height, width) whose centres a brush covers.

    across, down: its centre as shares of the picture from the left and from the top. size: its diameter, as a share of
    the picture's side. A brush smaller than a position covers the one that it is on.
    """
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    far = np.hypot((columns + 0.5) / width - across, (rows + 0.5) / height - down)
    inside = far <= size / 2
    if not inside.any():
        inside[np.unravel_index(far.argmin(), shape)] = True
    return [(int(row), int(column)) for row, column in np.argwhere(inside)]
