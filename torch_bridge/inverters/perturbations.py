"""Removes information from a layer's maps, to see which of it the picture needs.

After Dosovitskiy and Brox 2016, "Inverting Visual Representations with Convolutional Networks", section 5. A half is
half of all values, of which a ReLU has set many to 0 already, often all that `drop_least` drops; or half of the others.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Perturbation = Literal["plain", "binarise", "dropout", "drop_least", "drop_top"]
PERTURBATION_HELP = (
    "How maps are changed: not at all; signs only; or a random, the least or the most important half dropped"
)
HalfOf = Literal["all", "nonzero"]
HALF_OF_HELP = (
    "What a dropped half is half of: all values, of which a ReLU has set many to 0 already; or those that aren't 0"
)


def perturb_maps(
    maps: Tensor,
    perturbation: Perturbation,
    random: torch.Generator,
    importance: Tensor | None = None,
    half_of: HalfOf = "all",
) -> Tensor:
    """Changes each sample of (N, C, H, W) float maps; returns the same shape and dtype.

    binarise and dropout keep each sample's L2 norm; the others only set values to 0.
    random: a generator of the CPU, for dropout. importance: (N, C, H, W) float weight of each value;
    by default its absolute value. half_of: what dropout, drop_least and drop_top drop a half of.
    """
    if perturbation == "plain":
        return maps
    if perturbation == "binarise":
        return _scaled_to_norm(maps.sign(), maps)
    if perturbation == "dropout":
        weight = torch.rand(maps.shape, generator=random).to(maps.device)
    else:
        weight = (maps.abs() if importance is None else importance) * (1 if perturbation == "drop_least" else -1)
    kept = maps * _top_half_mask(weight, maps != 0 if half_of == "nonzero" else torch.ones_like(maps, dtype=torch.bool))
    return _scaled_to_norm(kept, maps) if perturbation == "dropout" else kept


def keep_only(maps: Tensor, channels: tuple[int, ...]) -> Tensor:
    """Returns a copy of (N, C, H, W) maps that is 0 in all other channels."""
    kept = torch.zeros_like(maps)
    kept[:, list(channels)] = maps[:, list(channels)]
    return kept


def _top_half_mask(weights: Tensor, counted: Tensor) -> Tensor:
    """Returns 1 at the half of each sample's counted values with the largest weights (rounded up), 0 elsewhere."""
    flat, size = weights.masked_fill(~counted, -torch.inf).flatten(1), counted.flatten(1).sum(1, keepdim=True)
    ranks = flat.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return (ranks < (size + 1) // 2).to(weights).reshape(weights.shape)


def _scaled_to_norm(maps: Tensor, reference: Tensor) -> Tensor:
    """Scales each sample of the maps to the L2 norm of the same sample of `reference`."""
    norm, target_norm = (tensor.flatten(1).cpu().double().norm(dim=1) for tensor in (maps, reference))
    scale = torch.where(norm > 0, target_norm / norm.clamp_min(1e-30), 0.0)
    return maps * scale.to(maps)[:, None, None, None]
