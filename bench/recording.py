"""Cost of recording beyond the plain forward pass, in time and memory.

Times are CPU seconds of one thread. The variants alternate in one process, so that their ratios don't depend on the
load of the machine. Memory is the growth of the process's peak; each variant has its own process.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..torch_bridge import record
from ..torch_bridge.models.build import build_model

ROUNDS = 11
CHOICES: dict[str, Any] = {"graph alone": (), "panels' maps": "panels", "every layer's maps": "*"}
BUDGETS = {"graph alone": 0.15, "panels' maps": 0.60}


def measure(network: str = "resnet50", size: int = 224) -> dict[str, Any]:
    """Returns by variant: extra time as a share of the plain forward pass, MB of maps kept, MB of peak growth."""
    torch.set_num_threads(1)
    model, picture = build_model(network).module, torch.rand(1, 3, size, size)
    times = _times({"plain forward": lambda: _forward(model, picture), **_variants(model, picture)})
    plain = times.pop("plain forward")
    found: dict[str, Any] = {f"{network} at {size}, plain forward": {"s": plain, **_memory(network, size, "plain")}}
    for name, seconds in times.items():
        budget = {"budget": BUDGETS[name]} if name in BUDGETS else {}
        found[name] = {"beyond plain": seconds / plain - 1, **budget, **_memory(network, size, name)}
    return found


def _forward(model: torch.nn.Module, picture: torch.Tensor) -> None:
    with torch.no_grad():
        model(picture)


def _variants(model: torch.nn.Module, picture: torch.Tensor) -> dict[str, Callable[[], Any]]:
    return {name: partial(record, model, picture, layers=chosen) for name, chosen in CHOICES.items()}


def _times(variants: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Returns the median CPU seconds of each variant; the variants alternate."""
    found: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS + 1):
        for name, run in variants.items():
            gc.collect()
            start = time.process_time()
            run()
            found[name].append(time.process_time() - start)
    return {name: float(np.median(seconds[1:])) for name, seconds in found.items()}


def _memory(network: str, size: int, variant: str) -> dict[str, float]:
    code = f"from innerwalk.bench.recording import grow; grow({network!r}, {size}, {variant!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kept, grown = done.stdout.split()[-2:]
    return {"MB kept": float(kept), "MB of peak grown": float(grown)}


def grow(network: str, size: int, variant: str) -> None:
    """Prints the MB of maps that a variant keeps, and the MB of peak growth over a forward pass."""
    torch.set_num_threads(1)
    model, picture = build_model(network).module, torch.rand(1, 3, size, size)
    _forward(model, picture)
    record(model, picture[..., :64, :64], layers=())  # loads everything that is loaded once
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak up to here
    kept = 0
    if variant in CHOICES:
        kept = sum(maps.texels.nbytes for maps in record(model, picture, layers=CHOICES[variant]).all_maps.values())
    else:
        _forward(model, picture)
    print(kept / 1e6, (_resident("VmHWM") - before) / 1e6)


def _resident(what: str) -> int:
    """Returns bytes of resident memory (VmRSS) or of its peak (VmHWM), from Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))
