"""Settings of the C library's memory allocator: fresh pages for every operation cost more than the operations."""

from __future__ import annotations

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
"""Parameter numbers of glibc's mallopt."""


def keep_memory() -> None:
    """Make glibc keep freed memory; without it recording ResNet-50 took 3 times as long, training 6 times."""
    with suppress(OSError, AttributeError):  # other C libraries have no mallopt
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(M_ARENA_MAX, 1)  # further arenas would be returned to the system all the same


def return_memory() -> None:
    """Give the memory that glibc has kept and nothing uses back to the system; the next run asks for it again."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
