"""Removes information from a layer's maps, to see which of it the picture needs.

After Dosovitskiy and Brox 2016, "Inverting Visual Representations with Convolutional Networks", section 5. A half is
half of all values. After a ReLU many of them are 0 already, often all that `drop_least` drops.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Perturbation = Literal["plain", "binarise", "dropout", "drop_least", "drop_top"]
PERTURBATION_HELP = (
    "How maps are changed: not at all; signs only; or a random, the least or the most important half dropped"
)


def perturb_maps(
    maps: Tensor, perturbation: Perturbation, random: torch.Generator, importance: Tensor | None = None
) -> Tensor:
    """Changes each sample of (N, C, H, W) float maps; returns the same shape and dtype.

    binarise and dropout keep each sample's L2 norm; the others only set values to 0.
    random: a generator of the CPU, for dropout. importance: (N, C, H, W) float weight of each value;
    by default its absolute value.
    """
    if perturbation == "plain":
        return maps
    if perturbation == "binarise":
        return _scaled_to_norm(maps.sign(), maps)
    if perturbation == "dropout":
        kept = _top_half_mask(torch.rand(maps.shape, generator=random).to(maps.device))
        return _scaled_to_norm(maps * kept, maps)
    weight = maps.abs() if importance is None else importance
    return maps * _top_half_mask(weight if perturbation == "drop_least" else -weight)


def keep_only(maps: Tensor, channels: tuple[int, ...]) -> Tensor:
    """Returns a copy of (N, C, H, W) maps that is 0 in all other channels."""
    kept = torch.zeros_like(maps)
    kept[:, list(channels)] = maps[:, list(channels)]
    return kept


def _top_half_mask(weights: Tensor) -> Tensor:
    """Returns 1 at the half of each sample's values with the largest weights (rounded up), 0 elsewhere."""
    flat = weights.flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)[:, : -(-flat.shape[1] // 2)]
    return torch.zeros_like(flat).scatter_(1, order, 1.0).reshape(weights.shape)


def _scaled_to_norm(maps: Tensor, reference: Tensor) -> Tensor:
    """Scales each sample of the maps to the L2 norm of the same sample of `reference`."""
    norm, target_norm = (tensor.flatten(1).cpu().double().norm(dim=1) for tensor in (maps, reference))
    scale = torch.where(norm > 0, target_norm / norm.clamp_min(1e-30), 0.0)
    return maps * scale.to(maps)[:, None, None, None]
