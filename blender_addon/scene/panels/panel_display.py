"""Chooses what a panel shows in a figure: averaged maps, or its strongest channels if all tiles would be too small."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ....torch_bridge.recording import LINK_PREFIX, Maps
from ...imaging import tile_grids
from ...imaging.channel_ranking import strongest_channels
from ...layout import Slot

MIN_TILE = 12.0
"""Width or height of a tile in pixels below which a panel shows fewer channels."""
REDUCED_TILE = 13.0
"""Width in pixels of the tiles that a panel with fewer channels has."""
OVERSAMPLING = 2.0
"""Number of texels a pixel to which maps are averaged down."""


def choose_maps(
    maps: Maps, slot: Slot, pixel: float | None, channels: int, *, reduce: bool, needed: Collection[int] = ()
) -> Maps:
    """Returns what a panel shows: all maps, or in a figure those of fewer channels if `reduce` allows that.

    pixel: metres of a pixel at the panel, None outside of figures. channels: number of channels of the layer. needed:
    channels that are shown in any case, as far as there is room.
    """
    if pixel is None:
        return maps
    cell = tile_grids.maps_grid(maps, tile_grids.TileGrid(slot.columns, slot.rows, slot.cell), channels).cell
    complete = average_maps(maps, cell[0] / pixel)
    if not reduce or min(cell) / pixel >= MIN_TILE or maps.shape[1:] == (1, 1):
        return complete
    columns, rows, width = _reduced_grid(slot, pixel)
    if columns * rows >= maps.channels:
        return complete
    chosen = maps.only(_choose_channels(maps, columns * rows, needed).tolist())
    links = {name: rows for name, rows in chosen.extras.items() if name.startswith(LINK_PREFIX)}
    return average_maps(replace(chosen, extras=links), width / pixel)  # flags and boxes would be counted wrongly


def average_maps(maps: Maps, pixels: float) -> Maps:
    """Averages maps down to about OVERSAMPLING texels a pixel, with new peaks. pixels: width of a tile in pixels."""
    factor = int(maps.texels.shape[2] / max(pixels * OVERSAMPLING, 1.0))
    if factor <= 1:
        return maps
    extras = {name: array for name, array in maps.extras.items() if name != "peak"}
    return replace(maps, texels=tile_grids.block_means(maps.texels, factor), extras=extras)


def _choose_channels(maps: Maps, count: int, needed: Collection[int]) -> np.ndarray:
    """Returns (count,) int, ascending: the needed channels, then the strongest of the others."""
    first = sorted(channel for channel in set(needed) if 0 <= channel < maps.channels)[:count]
    values = maps.data.mean(-1) if maps.colour else maps.data
    others = [channel for channel in strongest_channels(values, count).tolist() if channel not in first]
    return np.sort(np.array([*first, *others[: count - len(first)]], int))


def _reduced_grid(slot: Slot, pixel: float) -> tuple[int, int, float]:
    """Returns columns, rows and cell width for as many tiles of about REDUCED_TILE pixels as fit on the panel."""
    columns = max(2, int(slot.width / pixel / REDUCED_TILE))
    width = slot.width / columns
    return columns, max(1, int(slot.height / (width * slot.cell[1] / slot.cell[0]) + 1e-6)), width
