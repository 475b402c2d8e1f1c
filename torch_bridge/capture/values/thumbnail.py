"""Draws a picture of an input tensor that doesn't come from a picture file."""

from __future__ import annotations

import numpy as np
import torch

from ...recording import near_square
from .map_layout import Axes, choose_layout, extract_maps

HEAT_COLOURS = np.array([(0, 0, 0), (74, 12, 107), (187, 55, 84), (249, 142, 9), (252, 255, 164)], np.float32)
"""sRGB stops of the heat map, evenly spaced from the least to the largest value."""


def draw_thumbnail(tensor: torch.Tensor, axes: Axes, batch_size: int = 1, index: int = 0) -> np.ndarray:
    """Draws input number `index` of a tensor: (H, W, 3) uint8 sRGB, top row first.

    1, 3 or 4 channels become grey, colour, or colour without alpha, from the smallest to the largest value; any other
    tensor becomes a heat map of its values, or their magnitudes, averaged over channels. A tensor without values, and
    one that is nested or sparse, becomes one black pixel.
    """
    if tensor.is_nested or tensor.layout is not torch.strided or tensor.numel() == 0 or tensor.is_meta:
        return np.zeros((1, 1, 3), np.uint8)
    values = tensor.detach()
    values = values.dequantize() if values.is_quantized else values.abs() if values.is_complex() else values
    layout = choose_layout(tuple(tensor.shape), axes, batch_size, index)
    maps = extract_maps(values, layout).float().cpu().numpy()
    if len(layout.shape) == 3 and len(maps) in (1, 3, 4):
        grey = np.broadcast_to(maps[:3], (3, *maps.shape[1:]))
        return np.round(to_unit_range(grey).transpose(1, 2, 0) * 255).astype(np.uint8)
    return heat_map(_to_plane(maps))


def _to_plane(maps: np.ndarray) -> np.ndarray:
    """Returns (H, W) values of maps (C, H, W): a vector on a near-square grid, else the mean of the channels."""
    if maps.shape[1:] != (1, 1):
        return maps.mean(0)
    values = maps.reshape(-1)
    _, columns = near_square(len(values))
    return np.pad(values, (0, -len(values) % columns), mode="edge").reshape(-1, columns)


def heat_map(values: np.ndarray) -> np.ndarray:
    """Colours values (H, W): (H, W, 3) uint8 sRGB."""
    positions = to_unit_range(values) * (len(HEAT_COLOURS) - 1)
    stops = np.arange(len(HEAT_COLOURS))
    return np.stack([np.interp(positions, stops, HEAT_COLOURS[:, k]) for k in range(3)], -1).round().astype(np.uint8)


def to_unit_range(values: np.ndarray) -> np.ndarray:
    """Scales values (…) of any shape linearly to 0..1, float64; NaN and Inf become 0."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    scaled = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.clip(np.where(np.isfinite(scaled), scaled, 0.0), 0.0, 1.0)
