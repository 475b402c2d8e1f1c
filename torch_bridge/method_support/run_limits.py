"""Limits of one run of the network, by device: how many inputs at once, so that a step stays short, and precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from ..recording import Network

RUN_COST = {"cuda": 2e11, "cpu": 5e8}
"""Multiplications of one forward run in a step. Larger runs are hardly faster on a CPU."""
MAX_COPIES = {"cuda": 64, "cpu": 16}
"""Most inputs of one run."""


def device_kind(device: torch.device) -> Literal["cuda", "cpu"]:
    """Returns the key of a device in tables of limits."""
    return "cuda" if device.type == "cuda" else "cpu"


def forward_cost(network: Network, layers: Sequence[str]) -> int:
    """Estimates the multiplications of a run on one input as far as the last of these layers."""
    last = max(number for number, layer in enumerate(network.layers) if layer.id in layers)
    return sum(layer.parameters * math.prod(layer.map_shape[1:]) for layer in network.layers[: last + 1])


def copies_per_run(network: Network, layers: Sequence[str], device: torch.device) -> int:
    """Returns how many inputs to run at once, so that a step as far as these layers stays short."""
    kind = device_kind(device)
    return int(min(max(RUN_COST[kind] // max(forward_cost(network, layers), 1), 1), MAX_COPIES[kind]))


def full_precision(device: torch.device) -> AbstractContextManager[None]:
    """Makes convolutions use full float32 on CUDA devices, which otherwise round inputs to TF32 (10 bits)."""
    flags = torch.backends.cudnn
    return flags.flags(enabled=flags.enabled, allow_tf32=False) if device.type == "cuda" else nullcontext()


def mixed_precision(device: torch.device) -> AbstractContextManager[None]:
    """Enables bfloat16 autocast on CUDA devices; precise enough for the direction of an ascent."""
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()
