"""Chooses what a panel shows in a figure: averaged maps, or its strongest channels if all tiles would be too small."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from ....torch_bridge.recording import LINK_PREFIX, Maps, pack
from ...imaging import tile_grids
from ...imaging.channel_ranking import strongest_channels
from ...layout import Slot

MIN_TILE = 12.0
"""Width or height of a tile in pixels below which a panel shows fewer channels."""
REDUCED_TILE = 13.0
"""Width in pixels of the tiles that a panel with fewer channels has."""
OVERSAMPLING = 2.0
"""Number of texels a pixel to which maps are averaged down."""


@dataclass(frozen=True)
class PanelDisplay:
    """What a panel shows."""

    maps: Maps
    grid: tuple[int, int, tuple[float, float]]
    """Columns, rows, and width and height of a cell in metres."""
    channels: tuple[int, ...] = ()
    """Indices of the shown channels in their layer; () for all."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in metres."""
        columns, rows, (width, height) = self.grid
        return columns * width, rows * height


def choose_display(
    maps: Maps, slot: Slot, pixel: float | None, *, reduce: bool, needed: Collection[int] = ()
) -> PanelDisplay:
    """Returns what a panel shows: every channel, or in a figure fewer and larger tiles if `reduce` allows that.

    pixel: metres of a pixel at the panel, None outside of figures. needed: channels that are shown in any case, as far
    as there is room.
    """
    planned = PanelDisplay(maps, (slot.columns, slot.rows, slot.cell))
    if pixel is None:
        return planned
    complete = PanelDisplay(average_maps(maps, slot.cell[0] / pixel), planned.grid)
    if not reduce or min(slot.cell) / pixel >= MIN_TILE or maps.shape[1:] == (1, 1):
        return complete
    columns, rows, width = _reduced_grid(slot, pixel)
    if columns * rows >= maps.channels:
        return complete
    channels = _choose_channels(maps, columns * rows, needed)
    grid = (columns, rows, (width, width * slot.cell[1] / slot.cell[0]))
    return PanelDisplay(average_maps(_select(maps, channels), width / pixel), grid, tuple(channels.tolist()))


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


def _select(maps: Maps, channels: np.ndarray) -> Maps:
    """Returns the maps of some channels. Their links keep the layer's indices, which drawing links expects."""
    labels = tuple(maps.labels[k] for k in channels) if maps.labels else ()
    texels = maps.texels[channels] if maps.colour else pack(maps.data[channels])
    links = {name: rows for name, rows in maps.extras.items() if name.startswith(LINK_PREFIX)}
    return replace(maps, texels=texels, channels=len(channels), labels=labels, extras=links)
