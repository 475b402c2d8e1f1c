"""Where maps are kept: memory apart from that of the run.

Maps outlive the activations that are made and freed around them. On one heap they would leave holes that nothing else
fits into (measured: twice the maps' size). Large chunks come straight from the system, in 2 MiB pages where numpy can
have them, so that a recording costs its maps and no more, and gives them back when it goes.
"""

from __future__ import annotations

import math

import numpy as np

CHUNK = 64 << 20
"""Bytes asked for at once, above malloc's largest threshold; pages that are never written cost nothing."""
ALIGNMENT = 64


class Arena:
    """Hands out float32 arrays from large chunks. A chunk lives as long as any array on it."""

    def __init__(self) -> None:
        self._chunk = np.empty(0, np.uint8)
        self._used = 0

    def array(self, *shape: int) -> np.ndarray:
        """A C-contiguous float32 array, not yet written."""
        size = math.prod(shape) * 4
        if self._used + size > len(self._chunk):
            self._chunk, self._used = np.empty(max(size, CHUNK), np.uint8), 0
        start, self._used = self._used, self._used + size + -size % ALIGNMENT
        return self._chunk[start : start + size].view(np.float32).reshape(shape)
