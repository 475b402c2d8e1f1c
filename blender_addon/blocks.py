"""Blocks of the module hierarchy: the middle words of the hall (`layer3.2`), and panels that stand for a block."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ..torch_bridge.recording import Layer

DEEPEST = 8


def blocks(layers: Sequence[Layer]) -> list[tuple[int, str]]:
    """(first position, name): runs of one path prefix, at the greatest depth whose median run has at least 3 panels."""
    found: list[tuple[int, str, int]] = []
    for depth in range(1, DEEPEST):
        runs = prefix_runs(layers, depth)
        if runs and median(count for _, _, count in runs) >= 3:
            found = runs
    return [(first, name) for first, name, count in found if count > 1]


def prefix_runs(layers: Sequence[Layer], depth: int) -> list[tuple[int, str, int]]:
    """(first position, first `depth` parts of the path, panels in it) of each run of panels; joints belong to any."""
    runs: list[tuple[int, str, int]] = []
    for k, layer in enumerate(layers):
        if layer.role == "joint":
            continue
        name = ".".join(module_path(layer.id).split(".")[:depth])
        if runs and runs[-1][1] == name:
            runs[-1] = (*runs[-1][:2], runs[-1][2] + 1)
        else:
            runs.append((k, name, 1))
    return runs


def module_path(id: str) -> str:
    """The dotted path of a layer's id, without the operation's name and the number of its call."""
    return id.split(":")[0].split("@")[0]
