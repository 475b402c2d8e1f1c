"""The preset grid: channels of a layer, for one input, or in a row for each of several recordings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...torch_bridge.recording import Maps, Recording
from ...torch_bridge.recording.errors import SceneError
from ..imaging.channel_ranking import strongest_channels
from ..plans.title_board import TitleFacts
from .map_pictures import arrange_tiles, draw_tiles, fit_picture
from .page import FlatPage
from .page_head import add_head, head_height
from .page_options import PageOptions, ShownMaps, page_title
from .page_style import PageStyle
from .picture_rows import CaptionedPicture, add_rows, picture_width, rows_height

MOST = 1024
"""Channels of a page."""
ROW_TILE, GRID_TILE = 17.0, 9.0
"""Least widths of tiles with a name, and with a number, mm."""


@dataclass(frozen=True)
class GridRow:
    """The maps of a row."""

    recording: Recording
    maps: Maps
    name: str


def draw_grid(recordings: Sequence[Recording], options: PageOptions) -> FlatPage:
    """Draws channels of a layer: all of one recording, or a row each for several recordings and methods.

    options: the layer; methods, separated by commas; channels, by default all of one recording, and for rows the
    strongest of the first. Raises UnknownName or SceneError.
    """
    style = PageStyle(options.width, options.dpi)
    methods = options.method.split(",")
    layer = options.layer or _first_layer(recordings[0], methods[0])
    rows = [
        GridRow(recording, recording.maps(layer, method), f"{name}, {method}" if len(methods) > 1 else name)
        for recording, name in zip(recordings, row_names(recordings), strict=True)
        for method in methods
    ]
    draw = _numbered if len(rows) == 1 else _compared
    pictures, columns = draw(rows, options, style)
    top = head_height(style)
    page = FlatPage(options.width, top + rows_height(style, pictures, columns), options.theme, options.dpi)
    add_rows(page, style, pictures, columns, top)
    maps, network = rows[0].maps, recordings[0].network
    shown = len(pictures) if len(rows) == 1 else columns - 1
    counts = f"{layer}: {' × '.join(map(str, maps.shape))}" + (f", {shown:,} shown" if shown < maps.channels else "")
    title = ", ".join(dict.fromkeys(page_title(recording, options) for recording in recordings))
    facts = TitleFacts(title, counts, "" if network.trained else "random weights", maps.note)
    add_head(page, style, facts, ShownMaps(recordings[0], options).scale, [])
    return page


def _first_layer(recording: Recording, method: str) -> str:
    """Returns the first layer that has maps of the method. Raises UnknownName or SceneError."""
    recording.check_method(method)
    for layer in recording.network.layers:
        if (layer.id, method) in recording.all_maps:
            return layer.id
    raise SceneError(f"{recording.network.name!r} has no maps of {method}; record them first")


def _numbered(rows: Sequence[GridRow], options: PageOptions, style: PageStyle) -> tuple[list[CaptionedPicture], int]:
    """Returns a picture of each channel with its number and label, and how many stand in a row."""
    channels = list(options.channels or shown_channels(rows[0].maps))
    count = len(channels)
    most = min(count, max(1, int(style.width / GRID_TILE)))
    wanted = min(most, max(4, math.ceil(math.sqrt(1.5 * count))))
    near = range(min(wanted, most), min(most, wanted + 3) + 1)
    columns = min(near, key=lambda columns: (-count % columns, columns))
    size = picture_width(style, columns)
    return [_tile(rows[0], channel, size, options, style) for channel in channels], columns


def shown_channels(maps: Maps) -> list[int]:
    """Returns the channels that a page shows: those whose picture was made, of more than MOST the strongest."""
    places = [k for k in range(maps.channels) if not maps.colour or maps.texels[k, ..., 3].any()] or [0]
    if len(places) > MOST:
        values = maps.data[places]
        places = [places[k] for k in strongest_channels(values.mean(-1) if maps.colour else values, MOST)]
    return [maps.numbers[k] for k in places]


def _compared(rows: Sequence[GridRow], options: PageOptions, style: PageStyle) -> tuple[list[CaptionedPicture], int]:
    """Returns a row for each recording and method, its input first, and how many pictures it has."""
    first = rows[0].maps
    most = max(1, int(style.width / ROW_TILE) - 1)
    values = first.data.mean(-1) if first.colour else first.data
    strongest = [first.numbers[place] for place in strongest_channels(values, min(most, first.channels))]
    channels = list(options.channels or strongest)
    size = picture_width(style, len(channels) + 1)
    width = round(size / style.pixel)
    pictures = []
    for row in rows:
        picture = row.recording.picture
        height = max(1, round(width * picture.shape[0] / picture.shape[1]))
        pictures.append(CaptionedPicture(fit_picture(picture, width, height), (row.name,)))
        pictures += [_tile(row, channel, size, options, style) for channel in channels]
    return pictures, len(channels) + 1


def row_names(recordings: Sequence[Recording]) -> list[str]:
    """Returns what tells recordings apart: their inputs, networks or weights, else their numbers."""
    for names in (
        [recording.input_name for recording in recordings],
        [recording.network.name for recording in recordings],
        [recording.network.weights or "random" for recording in recordings],
    ):
        if len(set(names)) == len(names):
            return names
    return [f"recording {number}" for number in range(1, len(recordings) + 1)]


def _tile(row: GridRow, channel: int, size: float, options: PageOptions, style: PageStyle) -> CaptionedPicture:
    """Returns a channel's picture, `size` mm wide. Raises UnknownName for a channel without a map."""
    maps = row.maps
    place = maps.index(channel)
    width = round(size / style.pixel)
    height = max(1, round(width * min(max(maps.shape[1] / maps.shape[2], 1 / 8), 8.0)))
    peaks = ShownMaps(row.recording, options).peaks(maps, [place])
    tiles = draw_tiles(maps, [place], peaks, (width, height), options.look)
    pixels = arrange_tiles(tiles, 1, 1, "#000000", "#000000")
    label = maps.labels[place] if maps.labels else ""
    return CaptionedPicture(pixels, (str(channel), label) if any(maps.labels) else (str(channel),))
