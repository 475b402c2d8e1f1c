"""A layer's maps with something taken from them, sample by sample: which of it does the picture need?

After Dosovitskiy and Brox 2016, "Inverting Visual Representations with Convolutional Networks", section 5. "Half" is
half of all entries: after a ReLU many of them, and then all that `drop_least` takes, are 0 before.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Features = Literal["plain", "binarise", "dropout", "drop_least", "drop_top"]
FEATURES = "plain; signs alone; a random, the least or the most important half of the values dropped"


def perturbed(maps: Tensor, how: Features, random: torch.Generator, importance: Tensor | None = None) -> Tensor:
    """(N, C, H, W) -> the same: each sample by itself.

    binarise and dropout leave a sample's L2 norm as it is, the others take nothing but values away.
    random: of the CPU, for dropout. importance: (N, C, H, W) of each value, |value| where None.
    """
    if how == "plain":
        return maps
    if how == "binarise":
        return _with_norm_of(maps, maps.sign())
    if how == "dropout":
        return _with_norm_of(maps, maps * _upper_half(torch.rand(maps.shape, generator=random).to(maps.device)))
    weight = maps.abs() if importance is None else importance
    return maps * _upper_half(weight if how == "drop_least" else -weight)


def keep_only(maps: Tensor, channels: tuple[int, ...]) -> Tensor:
    """(N, C, H, W) -> the same, with 0 in every other channel."""
    kept = torch.zeros_like(maps)
    kept[:, list(channels)] = maps[:, list(channels)]
    return kept


def _upper_half(weights: Tensor) -> Tensor:
    """1 at the half of each sample's entries (the larger, of an odd number) that weigh most, 0 elsewhere."""
    flat = weights.flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)[:, : -(-flat.shape[1] // 2)]
    return torch.zeros_like(flat).scatter_(1, order, 1.0).reshape(weights.shape)


def _with_norm_of(maps: Tensor, other: Tensor) -> Tensor:
    """The other maps, each sample scaled to the norm that it has in `maps`."""
    wanted, is_ = (one.flatten(1).cpu().double().norm(dim=1) for one in (maps, other))
    scale = torch.where(is_ > 0, wanted / is_.clamp_min(1e-30), 0.0)
    return other * scale.to(other)[:, None, None, None]
