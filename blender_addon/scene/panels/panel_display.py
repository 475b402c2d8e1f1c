"""Digests: where a panel's tiles would be too small in a picture, its strongest channels on a readable grid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from ....torch_bridge.recording import Maps, pack
from ...imaging import atlas
from ...imaging.channel_ranking import strongest_channels
from ...layout import Slot
from .panel_metadata import LINK_PREFIX

MIN_TILE, DIGEST_TILE = 12.0, 13.0
"""Pixels of a cell under which a digest is made; and of the cells it has."""
OVERSAMPLED = 2.0
"""Texels a pixel to which maps are averaged down."""


@dataclass(frozen=True)
class PanelDisplay:
    """What a panel shows: its maps, the grid they are on, and how high that is."""

    maps: Maps
    grid: tuple[int, int, tuple[float, float]]
    channels: tuple[int, ...] = ()
    """Of the layer, those of a digest."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in metres."""
        columns, rows, (width, height) = self.grid
        return columns * width, rows * height


def choose_display(
    maps: Maps, slot: Slot, pixel: float | None, *, digest: bool, needed: Collection[int] = ()
) -> PanelDisplay:  # fmt: skip
    """All channels as planned; in a picture with `pixel` metres a pixel, averaged down and, if need be, a digest.

    needed: channels that a digest has in any case, as far as there is room.
    """
    planned = PanelDisplay(maps, (slot.columns, slot.rows, slot.cell))
    if pixel is None:
        return planned
    whole = PanelDisplay(average_maps(maps, slot.cell[0] / pixel), planned.grid)
    if not digest or min(slot.cell) / pixel >= MIN_TILE or maps.shape[1:] == (1, 1):
        return whole
    columns, rows, edge = _grid(slot, pixel)
    if columns * rows >= maps.channels:
        return whole
    channels = _channels(maps, columns * rows, needed)
    grid = (columns, rows, (edge, edge * slot.cell[1] / slot.cell[0]))
    return PanelDisplay(average_maps(_chosen(maps, channels), edge / pixel), grid, tuple(channels.tolist()))


def _channels(maps: Maps, count: int, needed: Collection[int]) -> np.ndarray:
    """(count,) int, in order."""
    first = sorted(one for one in set(needed) if 0 <= one < maps.channels)[:count]
    others = [one for one in strongest_channels(_finite(maps), count).tolist() if one not in first]
    return np.sort(np.array([*first, *others[: count - len(first)]], int))


def _grid(slot: Slot, pixel: float) -> tuple[int, int, float]:
    """Columns, rows and cell width of as many tiles of about GOOD pixels as fit on the panel."""
    columns = max(2, int(slot.width / pixel / DIGEST_TILE))
    edge = slot.width / columns
    return columns, max(1, int(slot.height / (edge * slot.cell[1] / slot.cell[0]) + 1e-6)), edge


def _finite(maps: Maps) -> np.ndarray:
    return maps.data if not maps.colour else maps.data.mean(-1)


def _chosen(maps: Maps, channels: np.ndarray) -> Maps:
    labels = tuple(maps.labels[k] for k in channels) if maps.labels else ()
    texels = maps.texels[channels] if maps.colour else pack(maps.data[channels])
    links = {name: rows for name, rows in maps.extras.items() if name.startswith(LINK_PREFIX)}  # beams know a digest
    return Maps(maps.layer, maps.method, texels, len(channels), maps.colour, maps.frame, labels, links)


def average_maps(maps: Maps, pixels: float) -> Maps:
    """Maps averaged down to about OVERSAMPLED texels a pixel of a tile `pixels` wide, with peaks of their own."""
    factor = int(maps.texels.shape[2] / max(pixels * OVERSAMPLED, 1.0))
    if factor <= 1:
        return maps
    extras = {name: array for name, array in maps.extras.items() if name != "peak"}
    return replace(maps, texels=atlas.block_means(maps.texels, factor), extras=extras)
