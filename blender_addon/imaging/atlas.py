"""Where a channel lies: cells of texels on a sheet (the image), tiles on a panel's grid. numpy only.

The sheet is `Maps.texels` as it is, cells stacked in one column with row 0 first; Blender calls that row the bottom
one and the node group turns the tiles over. Only a stack too tall for one image goes on in a second column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...torch_bridge.recording.errors import SceneError
from ..layout.model import FILL
from .colour import FLAG

TALLEST = 16384
"""Pixels: the largest side of an image that every GPU of today takes."""
PER_CELL = 4
"""Channels in one texel of scalar maps; colour maps have one."""


@dataclass(frozen=True)
class Sheet:
    """The image of one layer: cell k is in column k // rows, k % rows cells from its bottom."""

    columns: int
    rows: int
    width: int
    """Pixels, of the whole image."""
    height: int


def sheet(shape: tuple[int, ...], tallest: int = TALLEST) -> Sheet:
    """The sheet of texels of shape (cells, H, W, 4), as few columns as fit. Raises SceneError when none does."""
    cells, height, width, _ = shape
    most = tallest // height
    columns = -(-cells // most) if most else 0
    if not most or columns * width > tallest:
        raise SceneError(
            f"maps of {height} × {width} in {cells} cells don't fit in an image of {tallest} × {tallest} pixels; "
            "record fewer channels or shrink the maps"
        )
    rows = -(-cells // columns)
    return Sheet(columns, rows, columns * width, rows * height)


def of_peaks(on: Sheet) -> Sheet:
    """The sheet of a layer's peaks: one texel for each cell, so that a place on one is the same place on the other."""
    return Sheet(on.columns, on.rows, on.columns, on.rows)


def peak_texels(peak: np.ndarray, cells: int, per_cell: int) -> np.ndarray:
    """Peaks (C,) -> (cells, 1, 1, 4) float32: each in that component of its cell's texel that its values are in."""
    texels = np.zeros((cells, 1, 1, 4), np.float32)
    padded = np.zeros(cells * per_cell, np.float32)
    padded[: len(peak)] = peak
    texels[..., :per_cell] = padded.reshape(cells, 1, 1, per_cell)
    return texels


def spread(texels: np.ndarray, on: Sheet) -> np.ndarray:
    """Texels (cells, H, W, 4) -> pixels (height, width, 4) of the sheet, first row first; a view for one column."""
    cells, height, width, _ = texels.shape
    if on.columns == 1:
        return texels.reshape(on.height, on.width, 4)
    full = np.zeros((on.columns * on.rows, height, width, 4), np.float32)
    full[:cells] = texels
    return full.reshape(on.columns, on.height, width, 4).transpose(1, 0, 2, 3).reshape(on.height, on.width, 4)


def gather(pixels: np.ndarray, on: Sheet, cells: int) -> np.ndarray:
    """The inverse of `spread`: pixels of a sheet (height * width * 4 in any shape) -> texels (cells, H, W, 4)."""
    height, width = on.height // on.rows, on.width // on.columns
    full = pixels.reshape(on.rows, height, on.columns, width, 4).transpose(2, 0, 1, 3, 4)
    return np.ascontiguousarray(full.reshape(-1, height, width, 4)[:cells])


def flagged(pixels: np.ndarray) -> np.ndarray:
    """The same pixels with NaN and infinity replaced by FLAG; a copy only where there are any.

    Cycles would read them as 0 and EEVEE as anything.
    """
    flat = np.ascontiguousarray(pixels, np.float32).reshape(-1)
    with np.errstate(all="ignore"):
        squares = flat.dot(flat)  # one pass without a temporary; finite only if all are
    if np.isfinite(squares) or np.isfinite(flat).all():
        return flat
    return np.where(np.isfinite(flat), flat, FLAG)


def shrink(texels: np.ndarray, factor: int) -> np.ndarray:
    """Means over blocks of about factor × factor texels: (cells, H, W, 4) -> (cells, ceil(H/f), ceil(W/f), 4) float32.

    For tiles that are small in a picture. Blocks are as equal as they can be, none is left out; a NaN stays one.
    """
    if factor <= 1:
        return texels
    for axis in (1, 2):
        size = texels.shape[axis]
        edges = np.linspace(0, size, -(-size // factor) + 1).round().astype(int)
        shape = [1, 1, 1, 1]
        shape[axis] = len(edges) - 1
        texels = np.add.reduceat(texels, edges[:-1], axis) / np.diff(edges).astype(np.float32).reshape(shape)
    return texels


@dataclass(frozen=True)
class Grid:
    """Places of a panel, row by row from the top left; metres, origin at the lower left corner, y up."""

    columns: int
    rows: int
    cell: tuple[float, float]
    """Width and height of one place."""
    corner: tuple[float, float] = (0.0, 0.0)
    """Lower left corner of the grid."""

    def centre(self, place: np.ndarray | int) -> np.ndarray:
        """(..., 2): the middle of each place."""
        row, column = np.divmod(np.asarray(place), self.columns)
        return np.stack([(column + 0.5) * self.cell[0], (self.rows - row - 0.5) * self.cell[1]], -1) + self.corner

    def inside(self, place: np.ndarray | int, u: np.ndarray | float, v: np.ndarray | float) -> np.ndarray:
        """(..., 2): the point at shares u (to the right) and v (down), 0..1, of each place's tile."""
        offset = np.stack(np.broadcast_arrays(np.asarray(u) - 0.5, 0.5 - np.asarray(v)), -1)
        return self.centre(place) + offset * FILL * np.asarray(self.cell)

    def pick(self, x: float, y: float) -> int:
        """The place whose tile holds the point, or -1 for a gap and beyond the edge."""
        column, row = (x - self.corner[0]) / self.cell[0], self.rows - (y - self.corner[1]) / self.cell[1]
        within = max(abs(column % 1 - 0.5), abs(row % 1 - 0.5)) <= FILL / 2
        if not (0 <= column < self.columns and 0 <= row < self.rows and within):
            return -1
        return int(row) * self.columns + int(column)


def middle_grid(channels: int, aspect: float, width: float, height: float) -> Grid:
    """The grid of so many tiles, `aspect` times as wide as high, that are as large as they can be in an area.

    It stands in the middle of the area, from (0, 0) to (width, height).
    """
    most = [min(width / columns / aspect, height / -(-channels // columns)) for columns in range(1, channels + 1)]
    columns = int(np.argmax(most)) + 1
    rows, high = -(-channels // columns), max(most)
    corner = ((width - columns * high * aspect) / 2, (height - rows * high) / 2)
    return Grid(columns, rows, (high * aspect, high), corner)
