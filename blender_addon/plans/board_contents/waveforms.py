"""Sounds and other series as waveforms: time to the right, one strip a channel."""

from __future__ import annotations

import numpy as np

from ..primitives import FLAT, Plan
from .area import Area

STRIP = 0.42
"""Height of a channel's strip, as a share of the width; less where there are several."""
THINNEST = 0.004
"""Least height of the line, metres."""
MOST = 8
"""Channels that are drawn."""


def add_waveform(plan: Plan, values: np.ndarray, area: Area) -> Area:
    """Adds the waveforms of `values` (2 C, n): the least and the largest value of each channel in each of n stretches.

    All have one scale. Returns the part of the area that is taken.
    """
    channels = min(len(values) // 2, MOST)
    finite = np.nan_to_num(values[: 2 * channels].astype(float), posinf=0.0, neginf=0.0)
    peak = np.abs(finite).max(initial=0.0) or 1.0
    taken = area.middle_strip(channels * STRIP * area.width)
    for channel in range(channels):
        strip = taken.row(channel, channels, 0.02)
        middle, half = strip.bottom + strip.height / 2, strip.height / 2
        plan.box(FLAT, (strip.left, strip.right), (middle - THINNEST / 2, middle + THINNEST / 2), "track", 0.012)
        low, high = finite[2 * channel : 2 * channel + 2] / peak * half * 0.95 + middle
        x = np.linspace(strip.left, strip.right, len(low) + 1)
        thin = np.maximum(THINNEST - (high - low), 0.0) / 2
        across = np.stack([x[:-1], x[1:], x[1:], x[:-1]], 1)
        up = np.stack([low - thin, low - thin, high + thin, high + thin], 1)
        plan.quads(FLAT.points(across, up, 0.018), "bar")
    return taken
