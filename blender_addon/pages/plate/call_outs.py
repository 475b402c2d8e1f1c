"""Call-outs: chosen channels of a layer, enlarged as boards to which an edge leads from the layer's panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ....torch_bridge.recording import Layer, Maps
from ....torch_bridge.recording.errors import SceneError
from ...imaging.channel_ranking import ranked_channels, strongest_channels
from ...imaging.colour_maps import to_srgb
from ...plans.number_text import format_number
from ..map_pictures import draw_tiles
from ..page_options import ShownMaps
from .boards import PlateBoard
from .graph import fewer_panels

SIDE = 320
"""Longer side of an enlarged map, pixels."""
USUAL, MOST = 3, 8
"""Channels that are called out where none is named, and most of them."""


def called_places(shown: ShownMaps, maps: Maps) -> list[int]:
    """Returns the places of the channels of a layer that are called out: those that are named, else the strongest.

    () for other layers than that of the options. Raises UnknownName for a channel without a map.
    """
    options = shown.options
    if options.layer is None or maps.layer != options.layer:
        return []
    if options.channels:
        return [maps.index(channel) for channel in options.channels]
    values = maps.data.mean(-1) if maps.colour else maps.data
    return [int(place) for place in strongest_channels(values, USUAL)]


def call_out_boards(
    shown: ShownMaps, layers: Sequence[Layer], links: Sequence[tuple[int, int]]
) -> tuple[list[PlateBoard], int]:
    """Returns a board for each channel that is called out, and the position of its layer in `layers`.

    Raises SceneError or UnknownName, also where a block's panel stands for the layer.
    """
    options = shown.options
    if options.layer is None:
        if options.channels:
            raise SceneError("a plate calls out channels of one layer; name it with --layer")
        return [], -1
    maps = shown.recording.maps(options.layer, options.method)
    position = next((k for k, layer in enumerate(layers) if shown.of(layer) is maps), -1)
    if position < 0 or layers[position].id not in {layer.id for layer in fewer_panels(layers, links)[0]}:
        raise SceneError(f"layer {options.layer} has no panel on this plate; name a layer that has one")
    places = called_places(shown, maps)
    if len(places) > MOST:
        raise SceneError(f"{len(places)} channels are called out beside a plate; at most {MOST} can be")
    ranked = ranked_places(shown, maps)
    boards = [_board(shown, maps, place) for place in places]
    return [
        replace(board, called=(place, *(other for other in ranked if other != place)))
        for board, place in zip(boards, places, strict=True)
    ], position


def ranked_places(shown: ShownMaps, maps: Maps) -> list[int]:
    """Returns the places of a layer's channels: those that are called out first, then the strongest."""
    strongest = ranked_channels(maps.data.mean(-1) if maps.colour else maps.data)
    return list(dict.fromkeys((*called_places(shown, maps), *strongest.tolist())))


def _board(shown: ShownMaps, maps: Maps, place: int) -> PlateBoard:
    _, height, width = maps.shape
    aspect = min(max(width / height, 1 / 4), 4.0)
    size = (round(SIDE * min(aspect, 1.0)), round(SIDE / max(aspect, 1.0)))
    tile = draw_tiles(maps, [place], shown.peaks(maps, [place]), size, shown.options.look)[0]
    pixels = np.rint(255 * to_srgb(tile)).astype(np.uint8)
    label = maps.labels[place] if maps.labels else ""
    value = f"peak {format_number(float(maps.peak[place]))}"
    captions = tuple(filter(None, (f"{label}, {value}" if label else "", value)))
    return PlateBoard(f"channel {maps.numbers[place]}", captions, pixels, aspect=aspect)
