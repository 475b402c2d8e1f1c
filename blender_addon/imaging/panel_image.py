"""Bakes a panel into a picture: its tiles side by side in the shader's colours. numpy only.

Values become palette indices first, because these are cheap to rearrange; colours come last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from . import tile_grids
from .channel_images import Colouring
from .colour_maps import (
    BAR,
    COLOUR_MAPS,
    FLAG_FROM,
    MARKER,
    MIN_PEAK,
    TABLE_ENTRIES,
    THEMES,
    ZERO_LINE,
    srgb,
    to_linear,
    to_srgb,
)

MARKED, TRACK, LINE = TABLE_ENTRIES, TABLE_ENTRIES + 1, TABLE_ENTRIES + 2
"""Palette rows after those of the colour map: non-finite values, a bar's track and its zero line."""
BAR_SHAPE = (16, 64)
"""Height and width of a bar's tile, texels."""


@dataclass(frozen=True)
class PanelContent:
    """Values and arrangement of a panel's tiles."""

    kind: str
    """Kind of the panel's material: scalar, bars or colour."""
    texels: np.ndarray
    """Values, (cells, H, W, 4) float32, FLAG where they are not finite."""
    scales: np.ndarray
    """Divisor of each channel's values, (C,)."""
    places: np.ndarray
    """Grid place of each channel, (C,) int; -1 for channels that are not shown."""
    columns: int
    rows: int


def tile_shape(kind: str, shape: tuple[int, int]) -> tuple[int, int]:
    """Returns a tile's (height, width) in texels for maps of a (height, width) shape."""
    return BAR_SHAPE if kind == "bars" else shape


def draw_panel(content: PanelContent, look: Colouring, level: int = 0) -> np.ndarray:
    """Returns the panel's picture (height, width, 4) float32 sRGB, bottom row first.

    The size is halved `level` times by averaging linear light.
    """
    shown = content.places >= 0
    channels = len(shown)
    if content.kind == "colour":
        return _arrange(_composite(content.texels[:channels][shown], look.theme, level), content)
    rows = (_bar_rows if content.kind == "bars" else _value_rows)(content, look)[shown]
    palette = _palette(look.theme, look.colour_map)
    if level == 0:
        return _apply_palette(_arrange(rows, content), palette)
    return _arrange(_downsample(_apply_palette(rows, to_linear(palette)), level), content)


@lru_cache(maxsize=8)
def _palette(theme: str, colour_map: str) -> np.ndarray:
    """Returns the palette (TABLE_ENTRIES + 3, 3) sRGB 0..1."""
    others = srgb(MARKER), srgb(THEMES[theme]["track"]), srgb(THEMES[theme]["frame"])
    return np.concatenate([COLOUR_MAPS[colour_map].colours(np.linspace(0, 1, TABLE_ENTRIES)), others])


def _value_rows(content: PanelContent, look: Colouring) -> np.ndarray:
    """Returns the palette row of each value, (C, H, W) uint16, rounded like the shader's lookup."""
    colour_map, count = COLOUR_MAPS[look.colour_map], len(content.scales)
    cells, height, width, _ = content.texels.shape
    steps = np.ones(cells * tile_grids.PER_CELL)
    steps[:count] = (TABLE_ENTRIES - 1) * colour_map.scale * look.gain / np.maximum(content.scales, MIN_PEAK)
    with np.errstate(over="ignore"):
        position = content.texels * steps.astype(np.float32).reshape(cells, 1, 1, tile_grids.PER_CELL)
    position += np.float32((TABLE_ENTRIES - 1) * colour_map.offset + 0.5)
    rows = np.clip(position, 0, TABLE_ENTRIES - 1, out=position).astype(np.uint16)
    if content.texels.max() > FLAG_FROM:
        rows[content.texels > FLAG_FROM] = MARKED
    return rows.transpose(0, 3, 1, 2).reshape(-1, height, width)[:count]


def _bar_rows(content: PanelContent, look: Colouring) -> np.ndarray:
    """Returns the palette rows (C, *BAR_SHAPE) uint16 of bars that start at zero on their tracks."""
    colour_map, (height, width) = COLOUR_MAPS[look.colour_map], BAR_SHAPE
    values = content.texels.reshape(-1)[: len(content.scales)].astype(float)
    signed = values * look.gain / np.maximum(content.scales, MIN_PEAK)
    position = np.clip(signed * colour_map.scale + colour_map.offset, 0, 1)[:, None, None]
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height)[:, None] + 0.5) / height
    filled = ((x - colour_map.offset) * (x - position) < 0) & (abs(y - sum(BAR) / 2) <= (BAR[1] - BAR[0]) / 2)
    background = np.where(abs(x - colour_map.offset) <= ZERO_LINE, LINE, TRACK)
    rows = np.where(filled, np.where(position > colour_map.offset, TABLE_ENTRIES - 1, 0), background).astype(np.uint16)
    rows[values > FLAG_FROM] = MARKED
    return rows


def _composite(texels: np.ndarray, theme: str, level: int) -> np.ndarray:
    """Returns colour maps as tiles (n, h, w, 4) sRGB, over the track colour where they are transparent."""
    nonfinite = texels[..., :3].max(-1) > FLAG_FROM
    tiles = np.clip(texels, 0, 1)
    tiles[nonfinite] = *srgb(MARKER), 1.0
    if level == 0 and tiles[..., 3].min(initial=1.0) == 1.0:
        return tiles
    light, cover = to_linear(tiles[..., :3]), tiles[..., 3:]
    tiles[..., :3] = light * cover + to_linear(srgb(THEMES[theme]["track"])) * (1 - cover)
    tiles[..., 3] = 1.0
    return _downsample(tiles, level)


def _downsample(tiles: np.ndarray, level: int) -> np.ndarray:
    """Halves tiles (n, H, W, 4) of linear light `level` times and converts them to sRGB."""
    tiles = tile_grids.block_means(tiles, 1 << level)
    return np.concatenate([to_srgb(tiles[..., :3]), tiles[..., 3:]], -1, dtype=np.float32)


def _apply_palette(rows: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Looks up palette rows of any shape; returns opaque colours (..., 4) float32."""
    table = np.ones((len(palette), 4), np.float32)
    table[:, :3] = palette
    whole = table.view(np.complex128)[:, 0]  # one 16-byte number a colour: three times as fast to gather
    return np.take(whole, rows, mode="clip").view(np.float32).reshape(*rows.shape, 4)


def _arrange(tiles: np.ndarray, content: PanelContent) -> np.ndarray:
    """Arranges the shown channels' tiles (n, h, w, ...) as (rows * h, columns * w, ...), bottom row first."""
    height, width = tiles.shape[1:3]
    full = np.zeros((content.rows * content.columns, *tiles.shape[1:]), tiles.dtype)
    full[content.places[content.places >= 0]] = tiles
    grid = full.reshape(content.rows, content.columns, *tiles.shape[1:]).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(content.rows * height, content.columns * width, *tiles.shape[3:])[::-1])
