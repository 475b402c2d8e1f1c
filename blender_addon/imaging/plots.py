"""Pictures for the interface: histograms and enlarged maps, (H, W, 4) float32 sRGB, top row first. numpy only.

Maps have the colours that the hall's shader gives them; everything else is of the hall's theme.
"""

from __future__ import annotations

import numpy as np

from .colour import BAR, LEAST_PEAK, MARKER, RAMPS, THEMES, ZERO_LINE, srgb, tint
from .statistics import Histogram

EDGE = 256
"""Pixels: the longer side of a picture, at most."""
LARGEST = 2 * EDGE
"""Pixels: the longer side of a map that is shown whole; of a larger one every n-th pixel is."""
MARGIN, TALL = 8, 200
"""Pixels around a histogram, and its height within."""
STRIP, GAP = 12, 8
"""Height of the legend under a map and of the gap between them, pixels."""


def histogram(found: Histogram, theme: str, ramp: str, *, logarithmic: bool = False) -> np.ndarray:
    """A bar for each bin, as high as its count or the logarithm of 1 + count; a line at zero where it is in the range.

    Bars below and above zero have the colours of the two ends of the map.
    """
    bins = len(found.counts)
    wide = max((EDGE - 2 * MARGIN) // bins, 1)
    sizes = np.log1p(found.counts) if logarithmic else found.counts.astype(float)
    tall = sizes / max(sizes.max(), LEAST_PEAK) * TALL
    tall = np.where(found.counts > 0, np.maximum(tall, 1.0), 0.0)
    rows = np.arange(TALL, 0, -1)[:, None]
    cover = np.repeat(np.clip(tall - rows + 1, 0, 1), wide, axis=1)  # the uppermost pixel of a bar is covered in part
    middles = found.low + (np.arange(bins) + 0.5) * (found.high - found.low) / bins
    bars = np.repeat(_sides(middles, theme, ramp), wide, axis=0)
    plot = _over(np.broadcast_to(_of(theme, "board"), (TALL, wide * bins, 3)), bars, cover)
    if found.low < 0 < found.high:
        at = round(-found.low / (found.high - found.low) * (wide * bins - 1))
        plot[:, at] = _of(theme, "quiet")
    return _framed(plot, theme)


def _sides(values: np.ndarray, theme: str, ramp: str) -> np.ndarray:
    """(n, 3) the colour of bars at these values."""
    chosen = RAMPS[ramp]
    below = srgb(chosen.stops[0]) if chosen.diverging else _of(theme, "quiet")
    above = srgb(chosen.stops[-1]) if theme == "dark" or chosen.diverging else srgb(chosen.stops[4])
    return np.where((values < 0)[:, None], below, above)


def channel_map(values: np.ndarray, peak: float, ramp: str, gain: float) -> np.ndarray:
    """A map (H, W), each value a square of pixels, over the legend of its colours; NaN in the marker colour.

    Colour maps (H, W, 3) are shown as they are. `peak`: what the shader divides by (channel's, layer's or network's).
    """
    step = -(-max(values.shape[:2]) // LARGEST)
    values = values[::step, ::step]
    factor = max(1, EDGE // max(values.shape[:2]))
    if values.ndim == 3:
        known = np.isfinite(values).all(2)
        shown = np.where(known[..., None], np.clip(np.nan_to_num(values), 0, 1), srgb(MARKER))
        return _enlarged(_opaque(shown), factor)
    shown = _enlarged(_opaque(tint(values, peak, ramp, gain)), factor)
    wide = max(shown.shape[1], EDGE // 2)
    strip = np.broadcast_to(RAMPS[ramp].colours(np.linspace(0, 1, wide)), (STRIP, wide, 3))
    return _stacked(shown, _opaque(strip))


def bar(value: float, peak: float, ramp: str, gain: float, theme: str, width: int = EDGE) -> np.ndarray:
    """The one value of a channel of a vector, as its tile in the hall shows it: a bar from zero on a track.

    (width // 4, width, 4).
    """
    height = width // 4
    if not np.isfinite(value):
        return _opaque(np.broadcast_to(srgb(MARKER), (height, width, 3)))
    chosen = RAMPS[ramp]
    position = np.clip(value * gain / max(peak, LEAST_PEAK) * chosen.scale + chosen.offset, 0, 1)
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height)[:, None] + 0.5) / height
    line = np.where((abs(x - chosen.offset) <= ZERO_LINE)[:, None], _of(theme, "frame"), _of(theme, "track"))
    filled = ((x - chosen.offset) * (x - position) < 0) & (abs(y - sum(BAR) / 2) <= (BAR[1] - BAR[0]) / 2)
    end = chosen.colours(np.array(float(position > chosen.offset)))
    return _opaque(np.where(filled[..., None], end, line))


def _enlarged(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Pixels (H, W, 4) float32, each a square; as one number of 16 bytes they are moved several times as fast."""
    whole = pixels.view(np.complex128)[..., 0].repeat(factor, 0).repeat(factor, 1)
    return whole.view(np.float32).reshape(*whole.shape, 4)


def _stacked(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """One over the other, with nothing beside and between them."""
    width = max(upper.shape[1], lower.shape[1])
    whole = np.zeros((len(upper) + GAP + len(lower), width, 4), np.float32)
    for part, top in ((upper, 0), (lower, len(upper) + GAP)):
        left = (width - part.shape[1]) // 2
        whole[top : top + len(part), left : left + part.shape[1]] = part
    return whole


def _framed(plot: np.ndarray, theme: str) -> np.ndarray:
    """A plot on a board with a base line under it."""
    height, width, _ = plot.shape
    whole = np.empty((height + 2 * MARGIN, width + 2 * MARGIN, 3))
    whole[:] = _of(theme, "board")
    whole[MARGIN : MARGIN + height, MARGIN : MARGIN + width] = plot
    whole[MARGIN + height, MARGIN : MARGIN + width] = _of(theme, "frame")
    return _opaque(whole)


def _over(under: np.ndarray, colours: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Colours laid over others; cover 0..1 has one number a pixel."""
    return under + (colours - under) * cover[..., None]


def _opaque(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1, dtype=np.float32)


def _of(theme: str, role: str) -> np.ndarray:
    return srgb(THEMES[theme][role])
