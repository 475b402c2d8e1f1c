"""Positions of channels: cells of texels in a layer's image (the sheet), tiles on a panel's grid. numpy only.

The sheet holds `Maps.texels` unchanged, its cells stacked in one column with row 0 first. For Blender that row is the
bottom row, and the node group flips the tiles. Only a stack too tall for one image continues in a second column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...torch_bridge.recording import Maps
from ...torch_bridge.recording.errors import SceneError
from ..layout.hall_model import FILL
from .colour_maps import FLAG

MAX_SIDE = 16384
"""Largest side of an image in pixels that current GPUs accept."""
PER_CELL = 4
"""Channels in one texel of scalar maps; colour maps have one channel a texel."""


@dataclass(frozen=True)
class Sheet:
    """Layout of a layer's image: cell k lies in column k // rows, k % rows cells from the bottom."""

    columns: int
    rows: int
    width: int
    """Width of the whole image in pixels."""
    height: int
    """Height of the whole image in pixels."""


def sheet_layout(shape: tuple[int, ...], max_side: int = MAX_SIDE) -> Sheet:
    """Lays out texels of shape (cells, H, W, 4) in as few columns as fit. Raises SceneError when they don't fit."""
    cells, height, width, _ = shape
    column_cells = max_side // height
    columns = -(-cells // column_cells) if column_cells else 0
    if not column_cells or columns * width > max_side:
        raise SceneError(
            f"maps of {height} × {width} in {cells} cells don't fit in an image of {max_side} × {max_side} pixels; "
            "record fewer channels or shrink the maps"
        )
    rows = -(-cells // columns)
    return Sheet(columns, rows, columns * width, rows * height)


def peak_sheet(sheet: Sheet) -> Sheet:
    """Returns the layout of a layer's peaks: the same cells with one texel each."""
    return Sheet(sheet.columns, sheet.rows, sheet.columns, sheet.rows)


def peak_texels(peak: np.ndarray, cells: int, per_cell: int) -> np.ndarray:
    """Arranges peaks (C,) as texels (cells, 1, 1, 4) float32, each in the component that holds its channel's values."""
    texels = np.zeros((cells, 1, 1, 4), np.float32)
    padded = np.zeros(cells * per_cell, np.float32)
    padded[: len(peak)] = peak
    texels[..., :per_cell] = padded.reshape(cells, 1, 1, per_cell)
    return texels


def to_pixels(texels: np.ndarray, sheet: Sheet) -> np.ndarray:
    """Arranges texels (cells, H, W, 4) as pixels (height, width, 4), first row first; a view for a single column."""
    cells, height, width, _ = texels.shape
    if sheet.columns == 1:
        return texels.reshape(sheet.height, sheet.width, 4)
    pixels = np.zeros((sheet.rows, height, sheet.columns, width, 4), np.float32)
    for column, first in enumerate(range(0, cells, sheet.rows)):
        part = texels[first : first + sheet.rows]
        pixels[: len(part), :, column] = part
    return pixels.reshape(sheet.height, sheet.width, 4)


def to_texels(pixels: np.ndarray, sheet: Sheet, cells: int) -> np.ndarray:
    """Inverts `to_pixels`: pixels, height * width * 4 values of any shape, become texels (cells, H, W, 4)."""
    height, width = sheet.height // sheet.rows, sheet.width // sheet.columns
    full = pixels.reshape(sheet.rows, height, sheet.columns, width, 4).transpose(2, 0, 1, 3, 4)
    return np.ascontiguousarray(full.reshape(-1, height, width, 4)[:cells])


def flag_nonfinite(pixels: np.ndarray) -> np.ndarray:
    """Replaces NaN and infinity in pixels of any shape by FLAG; returns (n,) float32, copied only where there are any.

    Cycles would read non-finite values as 0; EEVEE's result is undefined.
    """
    flat = np.ascontiguousarray(pixels, np.float32).reshape(-1)
    with np.errstate(all="ignore"):
        squares = flat.dot(flat)  # one pass without a temporary; finite only if all values are
    if np.isfinite(squares) or np.isfinite(flat).all():
        return flat
    return np.where(np.isfinite(flat), flat, FLAG)


def block_means(texels: np.ndarray, factor: int) -> np.ndarray:
    """Averages blocks of factor × factor texels: (cells, H, W, 4) -> (cells, ceil(H/f), ceil(W/f), 4) float32.

    Block sizes differ by one texel at most and cover the whole map; a block with a NaN becomes NaN.
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
class TileGrid:
    """Grid of a panel's tiles, row by row from the top left; metres, origin at the lower left corner, y up."""

    columns: int
    rows: int
    cell: tuple[float, float]
    """Width and height of one grid place, metres."""
    corner: tuple[float, float] = (0.0, 0.0)
    """Lower left corner of the grid, metres."""

    def centre(self, place: np.ndarray | int) -> np.ndarray:
        """Returns the centre (..., 2) of each place, metres."""
        row, column = np.divmod(np.asarray(place), self.columns)
        return np.stack([(column + 0.5) * self.cell[0], (self.rows - row - 0.5) * self.cell[1]], -1) + self.corner

    def inside(self, place: np.ndarray | int, u: np.ndarray | float, v: np.ndarray | float) -> np.ndarray:
        """Returns the point (..., 2), metres, at shares u (rightwards) and v (downwards), 0..1, of each tile."""
        offset = np.stack(np.broadcast_arrays(np.asarray(u) - 0.5, 0.5 - np.asarray(v)), -1)
        return self.centre(place) + offset * FILL * np.asarray(self.cell)

    def pick(self, x: float, y: float) -> int:
        """Returns the place whose tile contains the point, or -1 in gaps and outside the grid."""
        column, row = (x - self.corner[0]) / self.cell[0], self.rows - (y - self.corner[1]) / self.cell[1]
        within = max(abs(column % 1 - 0.5), abs(row % 1 - 0.5)) <= FILL / 2
        if not (0 <= column < self.columns and 0 <= row < self.rows and within):
            return -1
        return int(row) * self.columns + int(column)


def largest_grid(channels: int, aspect: float, width: float, height: float) -> TileGrid:
    """Returns the grid with the largest tiles, `aspect` times as wide as high, that fit an area; it is centred there.

    The area reaches from (0, 0) to (width, height), metres.
    """
    heights = [min(width / columns / aspect, height / -(-channels // columns)) for columns in range(1, channels + 1)]
    columns = int(np.argmax(heights)) + 1
    rows, tile_height = -(-channels // columns), max(heights)
    corner = ((width - columns * tile_height * aspect) / 2, (height - rows * tile_height) / 2)
    return TileGrid(columns, rows, (tile_height * aspect, tile_height), corner)


def maps_grid(maps: Maps, planned: TileGrid, channels: int) -> TileGrid:
    """Returns the planned grid for maps of all channels of a layer; for others one with the largest tiles in its area.

    channels: number of channels of the layer.
    """
    if maps.numbers == tuple(range(channels)):
        return planned
    width, height = planned.cell
    aspect = maps.shape[2] / maps.shape[1] if maps.colour or maps.shape[1:] != (1, 1) else width / height
    return largest_grid(maps.channels, aspect, planned.columns * width, planned.rows * height)
