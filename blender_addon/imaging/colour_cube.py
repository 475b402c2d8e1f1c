"""Texture that contains all colours, for views that colour meshes by texture alone: UVs select the colour.

It has 64 shades each of sRGB red, green and blue, so that every colour is within 2.1/255; theme colours are exact.
numpy only.
"""

from __future__ import annotations

import numpy as np

from .colour_maps import THEMES, linear, srgb, to_linear

STEPS, SLICES = 64, 8
"""Shades per component; rows and columns of red-green squares, one square for each shade of blue."""
SIDE = STEPS * SLICES
"""Side of the texture in pixels."""
_BORDERS = to_linear((np.arange(STEPS - 1) + 0.5) / (STEPS - 1))
"""Linear light halfway between neighbouring shades."""


def lut_pixels() -> np.ndarray:
    """Returns the texture (SIDE, SIDE, 4) float32 sRGB, bottom row first."""
    y, x = np.mgrid[:SIDE, :SIDE]
    shades = np.stack([x % STEPS, y % STEPS, x // STEPS + y // STEPS * SLICES], -1)
    pixels = np.concatenate([shades / (STEPS - 1), np.ones((SIDE, SIDE, 1))], -1)
    codes = [code for roles in THEMES.values() for code in roles.values()]
    column, row = (lut_uvs(np.array([linear(code) for code in codes])) * SIDE).astype(int).T
    pixels[row, column, :3] = [srgb(code) for code in codes]
    return pixels.astype(np.float32)


def lut_uvs(colours: np.ndarray) -> np.ndarray:
    """Returns the UVs (n, 2) float32, 0..1 from the lower left, of linear colours (n, 3)."""
    red, green, blue = np.searchsorted(_BORDERS, colours).T
    row, column = np.divmod(blue, SLICES)
    texels = np.stack([column * STEPS + red, row * STEPS + green], -1)
    return ((texels + 0.5) / SIDE).astype(np.float32)
