"""Memory for recorded maps, separate from the memory of the run.

Maps outlive the activations that are allocated and freed around them. On a common heap they would leave gaps that
nothing else fits into (measured: twice the maps' size). Chunks come straight from the system, in 2 MiB pages if there
are such, so a recording costs little more than its maps and gives the memory back when it is deleted. Where malloc
keeps what is freed, as in a bridge, its own chunks would make the heap grow with each recording held at the same time.
"""

from __future__ import annotations

import math
import mmap
from contextlib import suppress

import numpy as np

FIRST_CHUNK, CHUNK = 1 << 20, 64 << 20
"""Bytes requested at first, and at most if no array is larger; each chunk is twice the one before."""
HUGE = 4 << 20
"""Bytes from which a chunk has large pages, which are faster to get."""
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
            usual = min(max(2 * len(self._chunk), FIRST_CHUNK), CHUNK)
            self._chunk, self._used = _map_memory(max(size, usual)), 0
        start, self._used = self._used, self._used + size + -size % ALIGNMENT
        return self._chunk[start : start + size].view(np.float32).reshape(shape)


def _map_memory(size: int) -> np.ndarray:
    """Returns (size,) uint8 that malloc knows nothing about."""
    if not hasattr(mmap, "MAP_ANONYMOUS"):  # Windows, whose malloc keeps nothing of that size
        return np.empty(size, np.uint8)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if size >= HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a system without large pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint8)
