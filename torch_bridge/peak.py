"""Peaks of maps by torch, while a network is watched live: the same numbers as `words.peaks`, five times as fast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from .words import PEAK_QUANTILE, Maps


def with_peak(maps: Maps) -> Maps:
    """The same maps with their peaks among the extras."""
    if "peak" in maps.extras:
        return maps
    return replace(maps, extras={"peak": peaks_of(maps.texels)[: maps.channels], **maps.extras})


def peaks_of(texels: np.ndarray) -> np.ndarray:
    """(cells, H, W, 4) float32 -> (cells * 4,) float32, as `words.peaks`."""
    sizes = torch.from_numpy(texels).reshape(len(texels), -1, 4).abs()
    if not torch.isfinite(sizes.sum()):
        sizes = torch.where(torch.isfinite(sizes), sizes, 0.0)
    count = sizes.shape[1]
    largest = int((1 - PEAK_QUANTILE) * count) + 1
    found = sizes.amax(1) if largest == 1 else sizes.topk(largest, 1, sorted=False).values.amin(1)
    return found.reshape(-1).numpy()
