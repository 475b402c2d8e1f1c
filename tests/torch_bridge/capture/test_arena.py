"""Memory of recorded maps."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.capture.values.arena import CHUNK, FIRST_CHUNK, Arena

HEAP = """
import ctypes
from innerwalk.torch_bridge.capture.values.arena import Arena
from innerwalk.torch_bridge.server.allocator import keep_memory

class Heap(ctypes.Structure):  # glibc's mallinfo2
    _fields_ = [(name, ctypes.c_size_t) for name in "arena a b c d e f used free top".split()]

libc = ctypes.CDLL("libc.so.6")
libc.mallinfo2.restype = Heap
keep_memory()
before = libc.mallinfo2().arena
held = [Arena().allocate(1 << 20) for _ in range(50)]
print("heap grew by MiB", (libc.mallinfo2().arena - before) >> 20)
"""


def test_arrays_share_chunks_that_double_and_can_be_written() -> None:
    arena = Arena()
    arrays = [arena.allocate(3, 5) for _ in range(4)]
    for number, array in enumerate(arrays):
        array[:] = number
    assert [array.tolist() for array in arrays] == [np.full((3, 5), number).tolist() for number in range(4)]
    assert 0 <= arrays[-1].ctypes.data - arrays[0].ctypes.data < FIRST_CHUNK
    sizes = []
    for _ in range(200):
        arena.allocate(1 << 18)
        sizes += [len(arena._chunk)] if len(arena._chunk) not in sizes else []
    assert sizes == sorted(sizes) and sizes[0] <= 2 * FIRST_CHUNK and sizes[-1] == CHUNK
    assert arena.allocate(CHUNK // 2).nbytes == 2 * CHUNK  # float32


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_recordings_held_at_a_time_leave_the_heap_of_a_bridge_alone() -> None:
    """Its malloc keeps all that is freed, so that fifty chunks of it would stay."""
    done = subprocess.run([sys.executable, "-c", HEAP], capture_output=True, text=True, check=True)
    grown = next(line for line in done.stdout.splitlines() if line.startswith("heap grew"))
    assert int(grown.split()[-1]) < 20
