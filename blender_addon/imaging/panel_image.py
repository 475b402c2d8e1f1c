"""A panel as a picture of bytes: its tiles side by side, each in the colours that the shader gives it. numpy only.

Values become rows of a palette first, which are small to move about; colours come last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from . import atlas
from .channel_images import Look
from .colour import BAR, FLAG_FROM, LEAST_PEAK, MARKER, RAMPS, ROWS, THEMES, ZERO_LINE, srgb, to_linear, to_srgb

MARKED, TRACK, LINE = ROWS, ROWS + 1, ROWS + 2
"""Rows of a palette after those of the colour map: what is not finite, a bar's track and its zero line."""
BAR_SHAPE = (16, 64)
"""Height and width of a bar's tile in texels."""


@dataclass(frozen=True)
class Content:
    """What a panel shows."""

    kind: str
    """scalar, bars or colour, as its material."""
    texels: np.ndarray
    """(cells, H, W, 4) float32, FLAG for what is not finite."""
    scales: np.ndarray
    """(C,) what the values of each channel are divided by."""
    places: np.ndarray
    """(C,) of each channel on the grid, -1 for not shown."""
    columns: int
    rows: int


def tile_shape(kind: str, shape: tuple[int, int]) -> tuple[int, int]:
    """(height, width) in texels of a tile for maps of that shape."""
    return BAR_SHAPE if kind == "bars" else shape


def picture(content: Content, look: Look, level: int = 0) -> np.ndarray:
    """(height, width, 4) float32 sRGB, bottom row first; halved `level` times, by means of light."""
    shown = content.places >= 0
    channels = len(shown)
    if content.kind == "colour":
        return _laid(_passed(content.texels[:channels][shown], look.theme, level), content)
    rows = (_bars if content.kind == "bars" else _values)(content, look)[shown]
    palette = _palette(look.theme, look.ramp)
    if level == 0:
        return _dyed(_laid(rows, content), palette)
    return _laid(_lit(_dyed(rows, to_linear(palette)), level), content)


@lru_cache(maxsize=8)
def _palette(theme: str, ramp: str) -> np.ndarray:
    """(ROWS + 3, 3) sRGB."""
    others = srgb(MARKER), srgb(THEMES[theme]["track"]), srgb(THEMES[theme]["frame"])
    return np.concatenate([RAMPS[ramp].colours(np.linspace(0, 1, ROWS)), others])


def _values(content: Content, look: Look) -> np.ndarray:
    """(C, H, W) uint16: the palette's row of each value, the nearest as in the shader."""
    ramp, count = RAMPS[look.ramp], len(content.scales)
    cells, height, width, _ = content.texels.shape
    steps = np.ones(cells * atlas.PER_CELL)
    steps[:count] = (ROWS - 1) * ramp.scale * look.gain / np.maximum(content.scales, LEAST_PEAK)
    with np.errstate(over="ignore"):
        at = content.texels * steps.astype(np.float32).reshape(cells, 1, 1, atlas.PER_CELL)
    at += np.float32((ROWS - 1) * ramp.offset + 0.5)
    rows = np.clip(at, 0, ROWS - 1, out=at).astype(np.uint16)
    if content.texels.max() > FLAG_FROM:
        rows[content.texels > FLAG_FROM] = MARKED
    return rows.transpose(0, 3, 1, 2).reshape(-1, height, width)[:count]


def _bars(content: Content, look: Look) -> np.ndarray:
    """(C, *BAR_SHAPE) uint16: bars from zero on their tracks."""
    ramp, (height, width) = RAMPS[look.ramp], BAR_SHAPE
    values = content.texels.reshape(-1)[: len(content.scales)].astype(float)
    signed = values * look.gain / np.maximum(content.scales, LEAST_PEAK)
    position = np.clip(signed * ramp.scale + ramp.offset, 0, 1)[:, None, None]
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height)[:, None] + 0.5) / height
    filled = ((x - ramp.offset) * (x - position) < 0) & (abs(y - sum(BAR) / 2) <= (BAR[1] - BAR[0]) / 2)
    under = np.where(abs(x - ramp.offset) <= ZERO_LINE, LINE, TRACK)
    rows = np.where(filled, np.where(position > ramp.offset, ROWS - 1, 0), under).astype(np.uint16)
    rows[values > FLAG_FROM] = MARKED
    return rows


def _passed(texels: np.ndarray, theme: str, level: int) -> np.ndarray:
    """(n, h, w, 4) sRGB: colour maps as they are, over the track where they are transparent or not made yet."""
    unknown = texels[..., :3].max(-1) > FLAG_FROM
    tiles = np.clip(texels, 0, 1)
    tiles[unknown] = *srgb(MARKER), 1.0
    if level == 0 and tiles[..., 3].min(initial=1.0) == 1.0:
        return tiles
    light, cover = to_linear(tiles[..., :3]), tiles[..., 3:]
    tiles[..., :3] = light * cover + to_linear(srgb(THEMES[theme]["track"])) * (1 - cover)
    tiles[..., 3] = 1.0
    return _lit(tiles, level)


def _lit(tiles: np.ndarray, level: int) -> np.ndarray:
    """Linear light (n, H, W, 4) -> sRGB (n, h, w, 4), halved `level` times."""
    tiles = atlas.shrink(tiles, 1 << level)
    return np.concatenate([to_srgb(tiles[..., :3]), tiles[..., 3:]], -1, dtype=np.float32)


def _dyed(rows: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Rows of any shape -> (..., 4) float32: their colours, opaque."""
    table = np.ones((len(palette), 4), np.float32)
    table[:, :3] = palette
    whole = table.view(np.complex128)[:, 0]  # a colour as one number of 16 bytes: they are moved three times as fast
    return np.take(whole, rows, mode="clip").view(np.float32).reshape(*rows.shape, 4)


def _laid(tiles: np.ndarray, content: Content) -> np.ndarray:
    """Tiles (n, h, w, ...) of the channels that are shown, on the grid: (rows * h, columns * w, ...), upside down."""
    height, width = tiles.shape[1:3]
    full = np.zeros((content.rows * content.columns, *tiles.shape[1:]), tiles.dtype)
    full[content.places[content.places >= 0]] = tiles
    grid = full.reshape(content.rows, content.columns, *tiles.shape[1:]).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(content.rows * height, content.columns * width, *tiles.shape[3:])[::-1])
