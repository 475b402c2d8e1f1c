"""A picture of an input, for those that don't come from a picture."""

from __future__ import annotations

import math

import numpy as np
import torch

from .map_layout import Axes, choose_layout, extract_maps

HEAT = np.array([(0, 0, 0), (74, 12, 107), (187, 55, 84), (249, 142, 9), (252, 255, 164)], np.float32)
"""sRGB stops of the heat map, evenly spaced from the least to the largest value."""


def draw_thumbnail(tensor: torch.Tensor, axes: Axes, batch: int = 1, index: int = 0) -> np.ndarray:
    """(H, W, 3) uint8 sRGB: 1, 3 or 4 channels as grey, colour or colour without alpha, from the least to the largest
    value; any other tensor as a heat map of its numbers (many channels: their mean). No numbers: one black
    pixel."""
    if tensor.numel() == 0 or tensor.is_meta or tensor.layout is not torch.strided:
        return np.zeros((1, 1, 3), np.uint8)
    made = choose_layout(tuple(tensor.shape), axes, batch, index)
    maps = extract_maps(tensor.detach(), made).float().cpu().numpy()
    if len(made.shape) == 3 and len(maps) in (1, 3, 4):
        grey = np.broadcast_to(maps[:3], (3, *maps.shape[1:]))
        return np.round(_unit(grey).transpose(1, 2, 0) * 255).astype(np.uint8)
    return _heat(_sheet(maps))


def _sheet(maps: np.ndarray) -> np.ndarray:
    """(H, W) numbers: a vector on the squarest sheet, else the mean of the channels."""
    if maps.shape[1:] != (1, 1):
        return maps.mean(0)
    values = maps.reshape(-1)
    width = math.ceil(math.sqrt(len(values)))
    return np.pad(values, (0, -len(values) % width), mode="edge").reshape(-1, width)


def _heat(numbers: np.ndarray) -> np.ndarray:
    place = _unit(numbers) * (len(HEAT) - 1)
    stops = np.arange(len(HEAT))
    return np.stack([np.interp(place, stops, HEAT[:, k]) for k in range(3)], -1).round().astype(np.uint8)


def _unit(values: np.ndarray) -> np.ndarray:
    """Values as shares 0..1 of their range; NaN and Inf as 0."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    shares = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.clip(np.where(np.isfinite(shares), shares, 0.0), 0.0, 1.0)
