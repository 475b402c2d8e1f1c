"""Which channels of a layer are shown where there is no room for all."""

from __future__ import annotations

import numpy as np


def strongest_channels(maps: np.ndarray, count: int) -> np.ndarray:
    """Returns (count,) int channels, in order, with the largest 97 % quantile of positive values over mean |value|.

    maps: (C, H, W) float32; NaN and Inf count as 0.
    """
    return np.sort(ranked_channels(maps)[:count])


def ranked_channels(maps: np.ndarray) -> np.ndarray:
    """Returns (C,) int channels, the strongest first, as `strongest_channels` measures them; maps: (C, H, W)."""
    flat = np.nan_to_num(maps.reshape(len(maps), -1), nan=0.0, posinf=0.0, neginf=0.0)
    strength = np.quantile(np.maximum(flat, 0), 0.97, 1) / (np.abs(flat).mean(1) + 1e-6)
    return np.argsort(-strength, kind="stable")
