"""A map laid over the picture it is about, numpy only."""

from __future__ import annotations

import numpy as np

from .colour import LEAST_PEAK, THEMES, srgb

GREY, DIM = 0.75, 0.55
"""How much of its colour and of its light the picture loses where the map says nothing."""
FINE, LARGEST = 256, 512
"""Pixels of the longer side that are wanted, so that heat is smooth over a small picture; and at most."""


def laid_over(picture: np.ndarray, values: np.ndarray, peak: float) -> np.ndarray:
    """Heat over a picture: as opaque as |value| / peak, warm above zero, blue below; the picture is dimmed beneath.
    The dark theme's colours in every theme, because the picture is dark.

    picture: (H, W, 3) uint8 sRGB; values: (h, w), stretched over all of it, NaN counts as 0. Returns uint8 pixels, each
    of the picture's a square of some: what it saw stays as it was.
    """
    under = picture[:: (step := -(-max(picture.shape[:2]) // LARGEST)), ::step].astype(np.float64) / 255
    factor = max(1, FINE // max(under.shape[:2]))
    under = under.repeat(factor, 0).repeat(factor, 1)
    height, width = under.shape[:2]
    finite = np.nan_to_num(values.astype(np.float64), posinf=peak, neginf=-peak)
    shares = np.clip(resized(finite, height, width) / max(peak, LEAST_PEAK), -1, 1)
    grey = under @ [0.2126, 0.7152, 0.0722]
    under = (under + GREY * (grey[..., None] - under)) * (1 - DIM)
    opaque = np.abs(shares)[..., None]
    warm, cold = (srgb(THEMES["dark"][role]) for role in ("plus", "minus"))
    heat = np.where(shares[..., None] > 0, warm, cold)
    heat = heat + (1 - heat) * np.maximum(opaque - 0.75, 0) * 2  # the hottest is nearly white, as things that glow are
    return np.rint(255 * (under * (1 - opaque) + heat * opaque)).astype(np.uint8)


def resized(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """(h, w) or (h, w, 3) -> (height, width[, 3]), linear between the middles of pixels, constant beyond the outer."""
    for axis, size in ((0, height), (1, width)):
        length = values.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
        low = np.minimum(at.astype(int), max(length - 2, 0))
        share = (at - low).reshape([-1 if k == axis else 1 for k in range(values.ndim)])
        high = np.minimum(low + 1, length - 1)
        values = np.take(values, low, axis) * (1 - share) + np.take(values, high, axis) * share
    return values
