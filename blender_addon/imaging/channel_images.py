"""A layer as pictures in files: each channel in 16 bits of grey, and all of them side by side in the hall's colours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...torch_bridge.recording import Maps
from . import plots, png
from .colour import MARKER, THEMES, srgb, tint, to_linear, to_srgb

STEPS = 65535
"""Of 16 bits."""
BAND = 65536
"""Values of a channel that are written at a time."""
WIDE, MOST = 1024, 8
"""Pixels that a sheet should be wide where its maps are small, and how many pixels a value may get then."""
BAR = 64
"""Width in pixels of a vector's bar."""
GAP = 2
"""Pixels between tiles."""


@dataclass(frozen=True)
class Look:
    """How a hall colours maps."""

    theme: str
    ramp: str
    gain: float


def grey(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values of any shape -> uint16: `low` is 0, `high` is 65535; NaN, infinity and all of an empty range are 0.

    value = low + grey / 65535 * (high - low), right to half a step.
    """
    width = float(high) - float(low)
    if not width > 0:
        return np.zeros(values.shape, np.uint16)
    known = np.isfinite(values)
    shares = (np.where(known, values, low).astype(np.float64) - low) / width
    return np.rint(shares * STEPS).astype(np.uint16)


def channel_file(values: np.ndarray, low: float, high: float) -> Iterator[bytes]:
    """The pieces of a PNG of one channel: (H, W) in grey, (H, W, 3) in colour, 16 bits, scaled from low to high."""
    height, width = values.shape[:2]
    rows = max(1, BAND // width)
    return png.encode(width, height, (grey(values[top : top + rows], low, high) for top in range(0, height, rows)))


def sheet_file(maps: Maps, scales: np.ndarray, look: Look) -> Iterator[bytes]:
    """The pieces of a PNG of all channels, row by row from the top left, a piece for each row of tiles.

    scales: (C,) what the values of a channel are divided by before they are coloured.
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
                shown = tile(maps, channel, float(scales[channel]), look)
                pixels = np.rint(255 * shown).astype(np.uint8).repeat(factor, 0).repeat(factor, 1)
                band[GAP:, place * across + GAP : (place + 1) * across] = pixels
            yield band
        yield np.broadcast_to(board, (GAP, columns * across + GAP, 3))

    return png.encode(columns * across + GAP, rows * down + GAP, bands())


def values_of(maps: Maps, channel: int) -> np.ndarray:
    """One channel: (H, W) float32, or (H, W, 3) sRGB of colour maps; a view."""
    return maps.texels[channel, ..., :3] if maps.colour else maps.texels[channel // 4, ..., channel % 4]


def tile(maps: Maps, channel: int, scale: float, look: Look) -> np.ndarray:
    """(H, W, 3) sRGB 0..1: a channel as the hall shows it, also where a picture is transparent or not made."""
    values = values_of(maps, channel)
    if maps.colour:
        known = np.isfinite(values).all(-1, keepdims=True)
        shown = np.where(known, np.clip(np.nan_to_num(values), 0, 1), srgb(MARKER))
        cover, empty = np.clip(maps.texels[channel, ..., 3:], 0, 1), to_linear(srgb(THEMES[look.theme]["track"]))
        return to_srgb(to_linear(shown) * cover + empty * (1 - cover))
    if values.size == 1:
        return plots.bar(float(values[0, 0]), scale, look.ramp, look.gain, look.theme, BAR)[..., :3]
    return tint(values, scale, look.ramp, look.gain)
