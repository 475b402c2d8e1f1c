"""A script that places a hundred inputs in a hall: seconds beside the bare forward passes, and memory."""

from __future__ import annotations

import time
from typing import Any

import torch

from ..scenes import Hall
from ..torch_bridge.models.build import build_model

INPUTS, WARM = 100, 40
"""Inputs that are measured, and those before, after which caches are full."""


def measure() -> dict[str, Any]:
    """Returns seconds an input for ResNet-18, in pairs with a bare pass; budget: 1.3 x it + 0.15 s, flat memory."""
    model, generator = build_model("resnet18").module, torch.Generator().manual_seed(0)
    hall = Hall.of(model, "noise:1", size=(224, 224))
    placed, bare, memory = 0.0, 0.0, 0
    for number in range(WARM + INPUTS):
        inputs = torch.randn(1, 3, 224, 224, generator=generator)
        seconds = _seconds(lambda: hall.place(inputs)), _seconds(lambda: _pass(model, inputs))  # noqa: B023 - at once
        if number == WARM - 1:
            memory = _resident()
        if number >= WARM:
            placed, bare = placed + seconds[0], bare + seconds[1]
    placed, bare = placed / INPUTS, bare / INPUTS
    return {
        "an input s": placed,
        "a bare pass s": bare,
        "beyond 1.3 passes s (budget 0.15)": placed - 1.3 * bare,
        "memory of 100 inputs MiB": (_resident() - memory) / 1024,
    }


def _pass(model: torch.nn.Module, inputs: torch.Tensor) -> None:
    with torch.inference_mode():
        model(inputs)


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _resident() -> int:
    """Returns the resident memory of this process in KiB."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
