"""Overlays a map as heat colours on the input picture. numpy only."""

from __future__ import annotations

import numpy as np

from .colour_maps import MIN_PEAK, THEMES, srgb

GREY, DIM = 0.75, 0.55
"""Shares of saturation and brightness that the picture loses beneath the heat."""
FINE, LARGEST = 256, 512
"""Wanted and largest length of the longer side, pixels; small pictures are enlarged so that heat looks smooth."""


def overlay_heat(picture: np.ndarray, values: np.ndarray, peak: float) -> np.ndarray:
    """Draws heat over a dimmed picture: opacity |value| / peak, warm above zero, blue below, in dark-theme colours.

    picture: (H, W, 3) uint8 sRGB. values: (h, w), stretched over the whole picture; NaN counts as 0. Returns uint8 sRGB
    pixels (H * k, W * k, 3): each pixel of the picture becomes a square of k × k.
    """
    base = picture[:: (step := -(-max(picture.shape[:2]) // LARGEST)), ::step].astype(np.float64) / 255
    factor = max(1, FINE // max(base.shape[:2]))
    base = base.repeat(factor, 0).repeat(factor, 1)
    height, width = base.shape[:2]
    finite = np.nan_to_num(values.astype(np.float64), posinf=peak, neginf=-peak)
    shares = np.clip(resize_bilinear(finite, height, width) / max(peak, MIN_PEAK), -1, 1)
    grey = base @ [0.2126, 0.7152, 0.0722]
    base = (base + GREY * (grey[..., None] - base)) * (1 - DIM)
    opacity = np.abs(shares)[..., None]
    warm, cold = (srgb(THEMES["dark"][role]) for role in ("plus", "minus"))
    heat = np.where(shares[..., None] > 0, warm, cold)
    heat = heat + (1 - heat) * np.maximum(opacity - 0.75, 0) * 2  # the strongest values are nearly white
    return np.rint(255 * (base * (1 - opacity) + heat * opacity)).astype(np.uint8)


def resize_bilinear(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes (h, w) or (h, w, 3) to (height, width[, 3]), linearly between pixel centres and constant beyond them."""
    for axis, size in ((0, height), (1, width)):
        length = values.shape[axis]
        position = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
        low = np.minimum(position.astype(int), max(length - 2, 0))
        share = (position - low).reshape([-1 if k == axis else 1 for k in range(values.ndim)])
        high = np.minimum(low + 1, length - 1)
        values = np.take(values, low, axis) * (1 - share) + np.take(values, high, axis) * share
    return values
