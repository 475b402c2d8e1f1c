"""Draws one sample of a network's input of any shape as a picture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..recording import near_square
from .preprocess import Preprocessing, denormalise

SWATCH = 8
"""Pixels a side of the square that shows one number of a vector."""
MAX_SIDE = 2048
"""Pixels a side of the picture of an array; of larger arrays every second number is drawn, or fewer."""


def draw_sample(values: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Draws one sample of any shape: (H, W, 3) uint8 sRGB, top row first.

    (C, H, W) with the network's channels is drawn as a picture, anything else in grey.
    """
    part = drawn_part(values, preprocessing.channels)
    with np.errstate(over="ignore"):  # of float64; infinity is drawn as 0
        finite = np.nan_to_num(part.astype(np.float32), posinf=0.0, neginf=0.0)
    if finite.ndim == 3 and finite.shape[0] == preprocessing.channels and min(finite.shape[1:]) > 1:
        brightness = denormalise(finite, preprocessing)[:3]
    else:
        brightness = _draw_grey(finite)[None]
    picture = (brightness * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def drawn_part(values: Any, channels: int) -> Any:
    """Returns what is drawn of an array or a tensor: a picture (channels, H, W), a plane (H, W) or a vector (n,).

    Of long axes every k-th number: a small file may stand for gigabytes, and a minute of sound for 170 megapixels.
    """
    is_picture = values.ndim == 3 and values.shape[0] == channels and min(values.shape[1:]) > 1
    part = values if is_picture else values.squeeze()
    while part.ndim > 2 and not is_picture:
        part = part[0]
    if part.ndim < 2:
        return part.reshape(-1)[:: -(-math.prod(part.shape) // MAX_SIDE**2)]
    rows, columns = (-(-size // MAX_SIDE) for size in part.shape[-2:])
    return part[..., ::rows, ::columns]


def _draw_grey(plane: np.ndarray) -> np.ndarray:
    """Returns a plane (H, W) as float 0..1; a vector (n,) as squares on a near-square grid."""
    if plane.ndim < 2:
        rows, columns = near_square(plane.size)
        grid = np.full(rows * columns, plane.min(), np.float32)
        grid[: plane.size] = plane
        side = max(1, min(SWATCH, MAX_SIDE // columns))
        plane = np.kron(grid.reshape(rows, columns), np.ones((side, side), np.float32))
    low, high = float(plane.min()), float(plane.max())
    return (plane - low) / max(high - low, 1e-30)
