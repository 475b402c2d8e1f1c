"""Sounds as the outline of their waveforms."""

from __future__ import annotations

import numpy as np

from .content import Content

STRETCHES = 512
"""Columns of a waveform."""
MAX_CHANNELS = 2


def make_waveform(values: np.ndarray) -> Content:
    """Makes the outline of a sound (L,), (C, L) or (L, 1): extremes of each channel in equal stretches."""
    values = values.T if values.ndim > 1 and values.shape[-1] == 1 else values
    channels = np.nan_to_num(values.reshape(-1, values.shape[-1])[:MAX_CHANNELS].astype(np.float32))
    count = min(STRETCHES, channels.shape[1])
    starts = np.arange(count) * channels.shape[1] // count
    rows = [edge.reduceat(channel, starts) for channel in channels for edge in (np.minimum, np.maximum)]
    return Content("waveform", np.stack(rows), note=f"{channels.shape[1]:,} samples")
