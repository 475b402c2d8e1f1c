"""Some of the benchmark of a bridge's memory."""

import sys

import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.bench import bridge_memory


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_bridge_keeps_its_size() -> None:
    before, after = bridge_memory.memory_before_and_after(540, 120)  # 270 jobs, more than are remembered, and 60 more
    assert after - before < 20
