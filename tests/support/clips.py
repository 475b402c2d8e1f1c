"""Short videos with known frames, written by a Python that has PyAV."""

import subprocess
from pathlib import Path

import pytest

WRITE = """
import sys
try:
    import av
except ImportError:
    sys.exit(77)
import numpy as np

path, count, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with av.open(path, "w") as out:
    stream = out.add_stream("mpeg4", rate=rate)
    stream.width = stream.height = 32
    stream.pix_fmt = "yuv420p"
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 8 * number, np.uint8), format="rgb24")
        for packet in stream.encode(frame):
            out.mux(packet)
    for packet in stream.encode():
        out.mux(packet)
"""


def write_clip(python: str, path: Path, frames: int, rate: int) -> Path:
    """Write a video whose frames have the grey value 8 x their number; skip the test without PyAV."""
    run = subprocess.run([python, "-c", WRITE, path, str(frames), str(rate)], check=False)
    if run.returncode == 77:
        pytest.skip("needs PyAV, for the Python of the bridge")
    assert run.returncode == 0
    return path
