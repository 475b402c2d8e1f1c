"""The value that each unit of a layer has where it is active, which an insertion gives it elsewhere."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..capture.ablation import NO_ABLATION, use_ablation
from .partial_forward import PartialForward

CODES, SEED = 64, 7
"""Noise codes over which levels are measured, and the seed that draws them."""
ACTIVE_SHARE = 0.01
"""Share of all positions at which a unit counts as active: those of its largest values."""


def noise_codes(arguments: tuple[Any, ...], count: int = CODES, seed: int = SEED) -> tuple[Any, ...] | None:
    """Returns `count` normal codes of the shape of a generator's one input; None where the input is no code.

    A code is a tensor (1, L) or (1, L, 1, 1), float: one number or more, no picture.
    """
    first = arguments[0] if len(arguments) == 1 else None
    if not isinstance(first, torch.Tensor) or not first.is_floating_point() or first.dim() < 2:
        return None
    if first[0].numel() != first.shape[1]:
        return None
    random = torch.Generator().manual_seed(seed)
    return (torch.randn(count, *first.shape[1:], generator=random).to(first),)


def measure_levels(model: nn.Module, layer: str, arguments: tuple[Any, ...]) -> list[float]:
    """Returns for each unit of a layer the mean of its largest values over all inputs and positions.

    Raises ModelError.
    """
    with torch.no_grad(), use_ablation(NO_ABLATION):
        maps = PartialForward(model, [layer], arguments)(arguments).maps[layer]
    values = maps.float().transpose(0, 1).flatten(1)
    return values.topk(max(1, int(ACTIVE_SHARE * values.shape[1])), 1).values.mean(1).tolist()
