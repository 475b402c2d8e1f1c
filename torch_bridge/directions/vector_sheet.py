"""Draws concept vectors: a unit's tile lit by its weight, and the masks of one unit and of all, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from ..attribution.heat_sheet import COLD, WARM, HeatTile, to_tile

LIT, DARK = 0.8, 0.22
"""Brightness of the light of the largest weight outside the unit's mask; of a picture outside a mask."""
LEAST_LIGHT = 0.12
"""Brightness of what a unit with the smallest weight sees."""


class MaskedPicture(NamedTuple):
    """A picture and what units and combinations see in it."""

    picture: np.ndarray
    """(H, W, 3) sRGB 0..1."""
    masks: np.ndarray
    """(U, h, w) float32, 0 or 1: where each unit exceeds its threshold."""
    label: np.ndarray | None
    """(H, W) bool: the concept's pixels; None where they aren't known."""
    title: str

    def covered(self, weights: np.ndarray) -> np.ndarray:
        """Returns (H, W) bool: where the enlarged sum of the masks times weights (U,) is above 0."""
        sums = torch.from_numpy(np.tensordot(weights, self.masks, 1).astype(np.float32))[None, None]
        return (F.interpolate(sums, self.picture.shape[:2], mode="bilinear", align_corners=False)[0, 0] > 0).numpy()

    def tiles(self, combinations: Mapping[str, np.ndarray]) -> list[HeatTile]:
        """Returns the picture with the concept's pixels, then the mask of each combination, weights (U,) by name."""
        first = self.picture if self.label is None else masked(self.picture, self.label)
        shown = [HeatTile(to_tile(first), (self.title,))]
        for name, weights in combinations.items():
            found = self.covered(weights)
            overlap = "" if self.label is None else f", IoU {_overlap(found, self.label):.2f}"
            shown.append(HeatTile(to_tile(masked(self.picture, found)), (f"{name}{overlap}",)))
        return shown


def masked(picture: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns a picture (H, W, 3) sRGB 0..1, dark outside a mask (H, W) bool whose rim is drawn."""
    found = np.where(inside[..., None], picture, picture * DARK)
    padded = np.pad(inside, 1, mode="edge")
    near = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.where((inside & ~near)[..., None], np.float32(1.0), found)


def lit_tile(shown: MaskedPicture, unit: int, share: float) -> np.ndarray:
    """Returns (H, W, 3) float32 sRGB 0..1: the light of a unit, warm or cold by sign, and what is under its mask.

    share: its weight as a share of the largest, -1..1.
    """
    weights = np.zeros(len(shown.masks), np.float32)
    weights[unit] = 1.0
    size, inside = abs(share), shown.covered(weights)[..., None]
    light = np.array(WARM if share >= 0 else COLD, np.float32) * LIT * size
    return np.where(inside, shown.picture * (LEAST_LIGHT + (1 - LEAST_LIGHT) * size), light).astype(np.float32)


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum()) / max(int((first | second).sum()), 1)
