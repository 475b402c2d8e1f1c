"""A recording costs the memory of its maps: nothing for the graph alone, no second copy of what is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

CODE = """
import sys
import torch
from innerwalk.torch_bridge import record

def resident(what):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(what))

torch.set_num_threads(1)
layers = [torch.nn.Sequential(torch.nn.Conv2d(8, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(True))
          for _ in range(24)]
model, picture = torch.nn.Sequential(*layers).eval(), torch.rand(1, 8, 512, 512)
with torch.no_grad():
    model(picture)
record(model, picture[..., :16, :16])
before = resident("VmRSS")
open("/proc/self/clear_refs", "w").write("5")  # forget the peak
recording = record(model, picture, layers=eval(sys.argv[1]))
print(sum(maps.texels.nbytes for maps in recording.all_maps.values()), resident("VmHWM") - before)
"""
MAP = 8 * 512 * 512 * 4


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc to measure memory")
@pytest.mark.parametrize(("layers", "kept"), [("()", 0), ("'panels'", 24), ("'*'", 73)])
def test_memory_is_that_of_the_maps_kept(layers: str, kept: int) -> None:
    maps_alone = os.environ | {"MALLOC_MMAP_THRESHOLD_": "1048576"}  # each is given back when freed: no heap to scatter
    command = [sys.executable, "-c", CODE, layers]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=maps_alone)
    stored, grown = map(int, done.stdout.split())
    assert stored == kept * MAP
    assert grown < stored + 5 * MAP  # and what a forward pass needs at once
