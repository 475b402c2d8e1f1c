"""Encodes a layer as PNG files: each channel in 16-bit grey, and all channels side by side in the hall's colours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...torch_bridge.recording import Maps
from . import plots, png
from .colour_maps import MARKER, THEMES, colour_values, srgb, to_linear, to_srgb

STEPS = 65535
"""Largest 16-bit value."""
BAND = 65536
"""Values of a channel that are encoded at a time."""
WIDE, MOST = 1024, 8
"""Wanted width of a sheet in pixels, and the largest enlargement of small maps to reach it."""
BAR = 64
"""Width of a vector's bar, pixels."""
GAP = 2
"""Pixels between tiles."""


@dataclass(frozen=True)
class Colouring:
    """Theme, colour map and gain that a hall colours maps with."""

    theme: str
    colour_map: str
    gain: float


def to_grey16(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scales values of any shape to uint16, `low` to 0 and `high` to 65535; NaN, infinity and empty ranges become 0.

    value = low + grey / 65535 * (high - low), exact to half a step.
    """
    width = float(high) - float(low)
    if not width > 0:
        return np.zeros(values.shape, np.uint16)
    finite = np.isfinite(values)
    shares = (np.where(finite, values, low).astype(np.float64) - low) / width
    return np.rint(shares * STEPS).astype(np.uint16)


def encode_channel(values: np.ndarray, low: float, high: float) -> Iterator[bytes]:
    """Yields a 16-bit PNG of one channel, (H, W) grey or (H, W, 3) colour, scaled from low to high."""
    height, width = values.shape[:2]
    rows = max(1, BAND // width)
    return png.encode(width, height, (to_grey16(values[top : top + rows], low, high) for top in range(0, height, rows)))


def encode_sheet(maps: Maps, scales: np.ndarray, look: Colouring) -> Iterator[bytes]:
    """Yields an 8-bit PNG of all channels, row by row from the top left, in a piece for each row of tiles.

    scales: (C,) divisor of each channel's values before they are coloured.
    """
    height, width = (BAR // 4, BAR) if maps.shape[1:] == (1, 1) and not maps.colour else maps.shape[1:]
    columns = min(max(round(math.sqrt(maps.channels * height / width)), 1), maps.channels)
    rows = -(-maps.channels // columns)
    factor = min(max(WIDE // (columns * width), 1), MOST)
    across, down = width * factor + GAP, height * factor + GAP
    board = np.rint(255 * srgb(THEMES[look.theme]["frame"])).astype(np.uint8)

    def bands() -> Iterator[np.ndarray]:
        for row in range(rows):
            band = np.broadcast_to(board, (down, columns * across + GAP, 3)).copy()
            for place, channel in enumerate(range(row * columns, min((row + 1) * columns, maps.channels))):
                shown = draw_tile(maps, channel, float(scales[channel]), look)
                pixels = np.rint(255 * shown).astype(np.uint8).repeat(factor, 0).repeat(factor, 1)
                band[GAP:, place * across + GAP : (place + 1) * across] = pixels
            yield band
        yield np.broadcast_to(board, (GAP, columns * across + GAP, 3))

    return png.encode(columns * across + GAP, rows * down + GAP, bands())


def channel_values(maps: Maps, channel: int) -> np.ndarray:
    """Returns a view of one channel: (H, W) float32, or (H, W, 3) sRGB of colour maps."""
    return maps.texels[channel, ..., :3] if maps.colour else maps.texels[channel // 4, ..., channel % 4]


def draw_tile(maps: Maps, channel: int, scale: float, look: Colouring) -> np.ndarray:
    """Draws a channel as the hall shows it, (H, W, 3) sRGB 0..1, over the track colour where it is transparent."""
    values = channel_values(maps, channel)
    if maps.colour:
        finite = np.isfinite(values).all(-1, keepdims=True)
        shown = np.where(finite, np.clip(np.nan_to_num(values), 0, 1), srgb(MARKER))
        cover, empty = np.clip(maps.texels[channel, ..., 3:], 0, 1), to_linear(srgb(THEMES[look.theme]["track"]))
        return to_srgb(to_linear(shown) * cover + empty * (1 - cover))
    if values.size == 1:
        return plots.draw_bar(float(values[0, 0]), scale, look.colour_map, look.gain, look.theme, BAR)[..., :3]
    return colour_values(values, scale, look.colour_map, look.gain)
