"""Draws maps as pictures of exact size: each tile is the mean light of the values that lie in each of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...torch_bridge.recording import Maps, unpack
from ..imaging.colour_maps import COLOUR_MAPS, MARKER, MIN_PEAK, TABLE_ENTRIES, THEMES, srgb, to_linear, to_srgb
from ..imaging.tile_grids import block_means

MOST_VALUES = 1 << 22
"""Values of a layer that are coloured at a time."""


@dataclass(frozen=True)
class MapLook:
    """How maps are coloured on a page."""

    theme: str
    colour_map: str
    gain: float = 1.0


def draw_tiles(
    maps: Maps, places: Sequence[int], peaks: np.ndarray, tile: tuple[int, int], look: MapLook
) -> np.ndarray:
    """Draws maps as tiles (n, height, width, 3), linear light 0..1 float32.

    places: of the maps in `maps`. peaks: (n,) float, what the values of each are divided by. tile: width and height in
    pixels. NaN and infinity get the marker's colour, transparent parts of colour maps the track's.
    """
    width, height = tile
    factor = max(1, min(maps.shape[1] // (2 * height), maps.shape[2] // (2 * width)))
    step = max(1, MOST_VALUES // (maps.shape[1] * maps.shape[2]))
    parts = []
    for start in range(0, len(places), step):
        chosen = list(places[start : start + step])
        light = (
            _colour_light(maps, chosen, factor, look.theme)
            if maps.colour
            else (_value_light(maps, chosen, peaks[start : start + step], factor, look))
        )
        parts.append(resample(light, height, width))
    return np.concatenate(parts)


def _value_light(maps: Maps, chosen: Sequence[int], peaks: np.ndarray, factor: int, look: MapLook) -> np.ndarray:
    cells = sorted({place // 4 for place in chosen})
    values = unpack(block_means(maps.texels[cells], factor), 4 * len(cells))
    row = {cell: number for number, cell in enumerate(cells)}
    values = values[[4 * row[place // 4] + place % 4 for place in chosen]]
    colour_map = COLOUR_MAPS[look.colour_map]
    table = np.concatenate([colour_map.table(), to_linear(srgb(MARKER))[None].astype(np.float32)])
    finite = np.isfinite(values)
    steps = colour_map.scale * look.gain / np.maximum(peaks, MIN_PEAK)
    with np.errstate(over="ignore"):
        position = np.where(finite, values, 0) * steps[:, None, None] + colour_map.offset
    rows = np.rint(np.clip(position, 0, 1) * (TABLE_ENTRIES - 1)).astype(np.intp)
    return table[np.where(finite, rows, TABLE_ENTRIES)]


def _colour_light(maps: Maps, chosen: Sequence[int], factor: int, theme: str) -> np.ndarray:
    values = block_means(maps.texels[chosen], factor)
    finite = np.isfinite(values).all(-1, keepdims=True)
    shown = np.where(finite, np.clip(np.nan_to_num(values[..., :3]), 0, 1), srgb(MARKER))
    cover = np.where(finite, np.clip(np.nan_to_num(values[..., 3:]), 0, 1), 1)
    track = to_linear(srgb(THEMES[theme]["track"]))
    return (to_linear(shown) * cover + track * (1 - cover)).astype(np.float32)


def resample(pictures: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes pictures (n, H, W, c) to (n, height, width, c): each pixel is the mean of the area that it covers."""
    down, across = _area_weights(pictures.shape[1], height), _area_weights(pictures.shape[2], width)
    rows = np.einsum("yh,nhwc->nywc", down, pictures, optimize=True)
    return np.einsum("xw,nywc->nyxc", across, rows, optimize=True)


def _area_weights(count: int, size: int) -> np.ndarray:
    """Returns (size, count) float32: the share that each of `count` values has of each of `size` pixels."""
    edges = np.arange(size + 1) * count / size
    low, high = np.maximum(edges[:-1, None], np.arange(count)), np.minimum(edges[1:, None], np.arange(count) + 1)
    return (np.clip(high - low, 0, None) * size / count).astype(np.float32)


def arrange_tiles(tiles: np.ndarray, columns: int, rows: int, gap: str, ground: str) -> np.ndarray:
    """Arranges tiles (n, h, w, 3), linear light, row by row with a pixel between them; returns (H, W, 3) uint8 sRGB.

    gap, ground: sRGB codes of the pixels between tiles, and of empty cells.
    """
    count, height, width, _ = tiles.shape
    whole = np.empty((rows, height + 1, columns, width + 1, 3), np.float32)
    whole[:] = to_linear(srgb(gap))
    cells = whole[:, :height, :, :width].swapaxes(1, 2).reshape(rows * columns, height, width, 3)
    cells[:count] = tiles
    whole[:, :height, :, :width] = cells.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    for place in range(count, rows * columns):
        whole[place // columns, :, place % columns] = to_linear(srgb(ground))
    flat = whole.reshape(rows * (height + 1), columns * (width + 1), 3)[:-1, :-1]
    return np.rint(255 * to_srgb(flat)).astype(np.uint8)


def fit_picture(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resizes a picture (H, W, 3) uint8 sRGB to (height, width, 3) uint8 by mean light; enlarged pixels stay sharp."""
    light = to_linear(picture.astype(np.float32) / 255).astype(np.float32)
    return np.rint(255 * to_srgb(resample(light[None], height, width)[0])).astype(np.uint8)
