"""A picture of all colours, for views that colour by textures alone: what is painted has its colour's place on it.

64 shades of sRGB red, green and blue, where no colour is further than 2.1/255 from its place's; those of the themes are
there exactly. numpy only.
"""

from __future__ import annotations

import numpy as np

from .colour import THEMES, linear, srgb, to_linear

STEPS, SLICES = 64, 8
"""Shades of red, green and blue; squares of red and green, one for each blue, lie on SLICES columns and rows."""
SIDE = STEPS * SLICES
"""Pixels."""
_BORDERS = to_linear((np.arange(STEPS - 1) + 0.5) / (STEPS - 1))
"""Linear light between two shades."""


def pixels() -> np.ndarray:
    """(SIDE, SIDE, 4) float32 sRGB, bottom row first."""
    y, x = np.mgrid[:SIDE, :SIDE]
    shades = np.stack([x % STEPS, y % STEPS, x // STEPS + y // STEPS * SLICES], -1)
    found = np.concatenate([shades / (STEPS - 1), np.ones((SIDE, SIDE, 1))], -1)
    codes = [code for roles in THEMES.values() for code in roles.values()]
    column, row = (places(np.array([linear(code) for code in codes])) * SIDE).astype(int).T
    found[row, column, :3] = [srgb(code) for code in codes]
    return found.astype(np.float32)


def places(colours: np.ndarray) -> np.ndarray:
    """(n, 2) float32, shares from the lower left: where linear colours (n, 3) lie."""
    red, green, blue = np.searchsorted(_BORDERS, colours).T
    row, column = np.divmod(blue, SLICES)
    texels = np.stack([column * STEPS + red, row * STEPS + green], -1)
    return ((texels + 0.5) / SIDE).astype(np.float32)
