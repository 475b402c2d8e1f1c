"""Draws histograms, enlarged maps and bars for the interface, (H, W, 4) float32 sRGB, top row first. numpy only.

Maps have the shader's colours; everything else has the theme's.
"""

from __future__ import annotations

import numpy as np

from .colour_maps import BAR, COLOUR_MAPS, MARKER, MIN_PEAK, THEMES, ZERO_LINE, colour_values, srgb
from .statistics import Histogram

EDGE = 256
"""Usual length of a picture's longer side, pixels."""
LARGEST = 2 * EDGE
"""Longest side of a map that is drawn completely, pixels; of a larger one every n-th pixel is drawn."""
MARGIN, TALL = 8, 200
"""Margin around a histogram and the height of its plot, pixels."""
STRIP, GAP = 12, 8
"""Height of the legend under a map and of the gap between them, pixels."""


def draw_histogram(histogram: Histogram, theme: str, colour_map: str, *, logarithmic: bool = False) -> np.ndarray:
    """Draws a bar for each bin, as high as its count or log(1 + count), and a line at zero; (H, W, 4) float32 sRGB.

    Bars below and above zero have the colours of the two ends of the colour map.
    """
    bins = len(histogram.counts)
    wide = max((EDGE - 2 * MARGIN) // bins, 1)
    sizes = np.log1p(histogram.counts) if logarithmic else histogram.counts.astype(float)
    tall = sizes / max(sizes.max(), MIN_PEAK) * TALL
    tall = np.where(histogram.counts > 0, np.maximum(tall, 1.0), 0.0)
    rows = np.arange(TALL, 0, -1)[:, None]
    cover = np.repeat(np.clip(tall - rows + 1, 0, 1), wide, axis=1)  # the topmost pixel of a bar is covered partly
    middles = histogram.low + (np.arange(bins) + 0.5) * (histogram.high - histogram.low) / bins
    bars = np.repeat(_sides(middles, theme, colour_map), wide, axis=0)
    plot = _over(np.broadcast_to(_of(theme, "board"), (TALL, wide * bins, 3)), bars, cover)
    if histogram.low < 0 < histogram.high:
        zero = round(-histogram.low / (histogram.high - histogram.low) * (wide * bins - 1))
        plot[:, zero] = _of(theme, "quiet")
    return _framed(plot, theme)


def _sides(values: np.ndarray, theme: str, colour_map: str) -> np.ndarray:
    """Returns the colours (n, 3) sRGB of bars at these values (n,)."""
    used = COLOUR_MAPS[colour_map]
    below = srgb(used.stops[0]) if used.diverging else _of(theme, "quiet")
    above = srgb(used.stops[-1]) if theme == "dark" or used.diverging else srgb(used.stops[4])
    return np.where((values < 0)[:, None], below, above)


def draw_map(values: np.ndarray, peak: float, colour_map: str, gain: float) -> np.ndarray:
    """Draws a map (H, W), each value a square of pixels, above its colour legend; returns (h, w, 4) float32 sRGB.

    Colour maps (H, W, 3) have no legend. peak: the value that the shader divides by. NaN gets the marker colour.
    """
    step = -(-max(values.shape[:2]) // LARGEST)
    values = values[::step, ::step]
    factor = max(1, EDGE // max(values.shape[:2]))
    if values.ndim == 3:
        finite = np.isfinite(values).all(2)
        shown = np.where(finite[..., None], np.clip(np.nan_to_num(values), 0, 1), srgb(MARKER))
        return _enlarged(_opaque(shown), factor)
    shown = _enlarged(_opaque(colour_values(values, peak, colour_map, gain)), factor)
    wide = max(shown.shape[1], EDGE // 2)
    strip = np.broadcast_to(COLOUR_MAPS[colour_map].colours(np.linspace(0, 1, wide)), (STRIP, wide, 3))
    return _stacked(shown, _opaque(strip))


def draw_bar(value: float, peak: float, colour_map: str, gain: float, theme: str, width: int = EDGE) -> np.ndarray:
    """Draws a channel of a vector like its tile, a bar from zero on a track; (width // 4, width, 4) float32."""
    height = width // 4
    if not np.isfinite(value):
        return _opaque(np.broadcast_to(srgb(MARKER), (height, width, 3)))
    used = COLOUR_MAPS[colour_map]
    position = np.clip(value * gain / max(peak, MIN_PEAK) * used.scale + used.offset, 0, 1)
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height)[:, None] + 0.5) / height
    line = np.where((abs(x - used.offset) <= ZERO_LINE)[:, None], _of(theme, "frame"), _of(theme, "track"))
    filled = ((x - used.offset) * (x - position) < 0) & (abs(y - sum(BAR) / 2) <= (BAR[1] - BAR[0]) / 2)
    end = used.colours(np.array(float(position > used.offset)))
    return _opaque(np.where(filled[..., None], end, line))


def _enlarged(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Repeats pixels (H, W, 4) float32; one 16-byte number a pixel is several times as fast to move."""
    whole = pixels.view(np.complex128)[..., 0].repeat(factor, 0).repeat(factor, 1)
    return whole.view(np.float32).reshape(*whole.shape, 4)


def _stacked(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Stacks two pictures with a transparent gap."""
    width = max(upper.shape[1], lower.shape[1])
    whole = np.zeros((len(upper) + GAP + len(lower), width, 4), np.float32)
    for part, top in ((upper, 0), (lower, len(upper) + GAP)):
        left = (width - part.shape[1]) // 2
        whole[top : top + len(part), left : left + part.shape[1]] = part
    return whole


def _framed(plot: np.ndarray, theme: str) -> np.ndarray:
    """Puts a plot on a board with a base line."""
    height, width, _ = plot.shape
    whole = np.empty((height + 2 * MARGIN, width + 2 * MARGIN, 3))
    whole[:] = _of(theme, "board")
    whole[MARGIN : MARGIN + height, MARGIN : MARGIN + width] = plot
    whole[MARGIN + height, MARGIN : MARGIN + width] = _of(theme, "frame")
    return _opaque(whole)


def _over(under: np.ndarray, colours: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Blends colours over others; cover (H, W) is the opacity, 0..1."""
    return under + (colours - under) * cover[..., None]


def _opaque(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1, dtype=np.float32)


def _of(theme: str, role: str) -> np.ndarray:
    return srgb(THEMES[theme][role])
