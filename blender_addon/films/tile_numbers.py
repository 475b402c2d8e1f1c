"""The numbers of a tile: where its values stand in the hall, as text that is drawn over frames once it can be read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...torch_bridge.recording import Maps
from ..imaging.channel_ranking import strongest_channels
from ..imaging.colour_maps import colour_values
from ..imaging.tile_grids import TileGrid, maps_grid
from ..layout.hall_model import FILL, Slot
from ..plans.number_text import format_number
from ..plans.panel_frames import panel_plane
from .film_hall import FilmHall

ROWS, COLUMNS = 8, 14
"""Values of a tile that a camera shows when they are read, at most."""
AROUND = 10
"""Values on each side of them that have numbers too, because the camera sees some of them."""
BRIGHT = 0.42
"""Luminance of an sRGB colour from which text on it is dark."""


@dataclass(frozen=True)
class TileNumbers:
    """The values of a part of a tile."""

    points: np.ndarray
    """(n, 3) float64 world points: the middles of the values' squares."""
    texts: tuple[str, ...]
    are_bright: np.ndarray
    """(n,) bool: whether the tile is bright there, so that the text is dark."""
    width: float
    """Metres of a value's square."""


@dataclass(frozen=True)
class TileView:
    """What a camera looks at when it looks into a tile; metres."""

    channel: int
    centre: np.ndarray
    """(3,) float64 world point."""
    normal: np.ndarray
    """(3,) float64 unit vector towards the viewer."""
    size: tuple[float, float]
    """Width and height of what it shows."""
    numbers: TileNumbers | None


def tile_view(hall: FilmHall, slot: Slot, channel: int | None) -> TileView:
    """Returns the view of a channel's tile, by default that of a strong one near the aisle.

    Of a tile with many values it shows those around the largest. Raises UnknownName for a channel without a map.
    """
    layer = hall.layers[slot.index]
    maps = None if hall.recording is None else hall.recording.all_maps.get((layer.shows or layer.id, hall.method))
    planned = TileGrid(slot.columns, slot.rows, slot.cell)
    if maps is None:
        return _whole_tile(hall, slot, planned, channel or 0)
    grid = maps_grid(maps, planned, layer.map_shape[0])
    number = _near_strong(maps, grid, slot) if channel is None else channel
    place = maps.index(number)
    whole = _whole_tile(hall, slot, grid, place, number)
    _, height, width = maps.shape
    if maps.colour or not height * width:
        return whole
    rows, columns = _window(maps.data[place], (ROWS, COLUMNS))
    texel = (grid.cell[0] * FILL / width, grid.cell[1] * FILL / height)
    x, y = grid.inside(place, (columns.start + columns.stop) / 2 / width, (rows.start + rows.stop) / 2 / height)
    return replace(
        whole,
        centre=panel_plane(hall.layout, slot).points(x, y),
        size=(texel[0] * len(columns), texel[1] * len(rows)),
        numbers=_numbers(hall, slot, maps, grid, place),
    )


def _numbers(hall: FilmHall, slot: Slot, maps: Maps, grid: TileGrid, place: int) -> TileNumbers:
    """Returns the values of a tile around its largest, some more than a camera shows."""
    _, height, width = maps.shape
    rows, columns = _window(maps.data[place], (ROWS + 2 * AROUND, COLUMNS + 2 * AROUND))
    u, v = np.meshgrid((np.array(columns) + 0.5) / width, (np.array(rows) + 0.5) / height)
    inside = grid.inside(place, u.ravel(), v.ravel())
    values = maps.data[place][rows.start : rows.stop, columns.start : columns.stop].ravel()
    colours = colour_values(values, float(maps.peak[place]), hall.colour_map, hall.gain)
    return TileNumbers(
        panel_plane(hall.layout, slot).points(inside[:, 0], inside[:, 1]),
        tuple(map(format_number, values.tolist())),
        colours @ [0.2126, 0.7152, 0.0722] > BRIGHT,
        grid.cell[0] * FILL / width,
    )


def _whole_tile(hall: FilmHall, slot: Slot, grid: TileGrid, place: int, channel: int | None = None) -> TileView:
    plane = panel_plane(hall.layout, slot)
    x, y = grid.centre(place)
    size = (grid.cell[0] * FILL, grid.cell[1] * FILL)
    return TileView(place if channel is None else channel, plane.points(x, y), plane.normal, size, None)


def _near_strong(maps: Maps, grid: TileGrid, slot: Slot) -> int:
    """Returns the number of a channel that is among the strongest fifth and has its tile near the aisle and the eye."""
    if maps.colour or maps.shape[1:] == (1, 1):
        return maps.numbers[int(np.argmax(maps.peak))]
    found = strongest_channels(maps.data, max(1, maps.channels // 5))
    centres = grid.centre(found)
    aisle = np.array([0.0 if slot.side > 0 else slot.width, 1.6 - slot.bottom])
    return maps.numbers[int(found[np.argmin(np.linalg.norm(centres - aisle, axis=1))])]


def _window(values: np.ndarray, most: tuple[int, int]) -> tuple[range, range]:
    """Returns the rows and columns around the largest of values (H, W), no more than `most` of each."""
    peak = np.unravel_index(int(np.where(np.isfinite(values), np.abs(values), -1.0).argmax()), values.shape)
    found = []
    for middle, length, wanted in zip(peak, values.shape, most, strict=True):
        count = min(length, wanted)
        start = min(max(int(middle) - count // 2, 0), length - count)
        found.append(range(start, start + count))
    return found[0], found[1]
