"""Memory for recorded maps, separate from the memory of the run.

Maps outlive the activations that are allocated and freed around them. On a common heap they would leave gaps that
nothing else fits into (measured: twice the maps' size). Large chunks come straight from the system, in 2 MiB pages if
numpy can have them, so a recording costs no more than its maps and gives the memory back when it is deleted.
"""

from __future__ import annotations

import math

import numpy as np

CHUNK = 64 << 20
"""Bytes requested at once: above malloc's largest threshold; pages that are never written cost nothing."""
ALIGNMENT = 64
"""Bytes that the start of each array is aligned to."""


class Arena:
    """Allocates arrays from large chunks. A chunk lives as long as any array in it."""

    def __init__(self) -> None:
        self._chunk = np.empty(0, np.uint8)
        self._used = 0

    def allocate(self, *shape: int) -> np.ndarray:
        """Returns an uninitialised C-contiguous float32 array of any shape (n, …)."""
        size = math.prod(shape) * 4
        if self._used + size > len(self._chunk):
            self._chunk, self._used = np.empty(max(size, CHUNK), np.uint8), 0
        start, self._used = self._used, self._used + size + -size % ALIGNMENT
        return self._chunk[start : start + size].view(np.float32).reshape(shape)
