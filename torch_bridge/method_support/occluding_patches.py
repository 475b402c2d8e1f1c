"""Patches that cover parts of a picture: their positions, their content, and their mean effect at each pixel."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..inputs.preprocess import Preprocessing

PatchFill = Literal["grey", "blur", "noise", "value"]
"""The data's mean colour, the blurred picture, uniform noise, or one value."""


class OcclusionPatches:
    """Positions of a patch on a grid over a picture; at the far edges it sticks out."""

    def __init__(self, size: tuple[int, ...], patch: float, stride: float) -> None:
        """size: (height, width) in pixels. patch: share of each side. stride: share of the patch's sides."""
        self.size = size
        self.sides = [max(1, round(patch * length)) for length in size]
        steps = [max(1, round(stride * side)) for side in self.sides]
        self.starts = [
            np.arange(math.ceil((length - side) / step) + 1) * step
            for length, side, step in zip(size, self.sides, steps, strict=True)
        ]
        self.positions = [(int(y), int(x)) for y in self.starts[0] for x in self.starts[1]]
        """Top and left of each position in pixels."""

    def cover(self, picture: Tensor, content: Tensor, positions: list[tuple[int, int]]) -> Tensor:
        """(n, C, H, W): the picture (1, C, H, W) with a patch of `content` (1, C, H, W) at each of these positions."""
        copies = picture.repeat(len(positions), 1, 1, 1)
        for copy, (y, x) in zip(copies, positions, strict=True):
            patch = (..., slice(y, y + self.sides[0]), slice(x, x + self.sides[1]))
            copy[patch] = content[0][patch]
        return copies

    def pixel_means(self, drops: np.ndarray, done: int, max_pixels: int) -> np.ndarray:
        """(positions, K) drops -> (K, h, w): at each pixel the mean over the first `done` positions that cover it.

        0 where none does. Maps with more than `max_pixels` pixels are subsampled: every second pixel, and so on.
        """
        factor = math.ceil(math.sqrt(max(1.0, self.size[0] * self.size[1] / max_pixels)))
        rows, columns = (
            self._covered(axis, np.arange(0, length, factor) + (factor - 1) // 2)
            for axis, length in enumerate(self.size)
        )
        grid = [len(starts) for starts in self.starts]
        is_done = (np.arange(len(self.positions)) < done).astype(np.float32).reshape(grid)
        counts = rows @ is_done @ columns.T
        values = (drops * is_done.reshape(-1, 1)).T.reshape(-1, *grid)
        return rows @ values @ columns.T / np.maximum(counts, 1)

    def _covered(self, axis: int, pixels: np.ndarray) -> np.ndarray:
        """(pixels, starts) float32: 1 where a patch from a start covers a row or column, else 0."""
        pixels = np.minimum(pixels, self.size[axis] - 1)[:, None]
        starts = self.starts[axis][None]
        return ((pixels >= starts) & (pixels < starts + self.sides[axis])).astype(np.float32)


def fill_picture(
    picture: Tensor, fill: PatchFill, value: float, how: Preprocessing, deviations: list[float], seed: int
) -> Tensor:
    """Returns the content of patches, for the whole picture: (1, C, H, W) normalised.

    "grey" is the data's mean, or middle grey where none is subtracted. value: normalised. deviations: standard
    deviations of the blur, vertical and horizontal, in pixels.
    """
    if fill == "value":
        return torch.full_like(picture, value)
    if fill == "blur":
        return _blurred(picture, deviations)
    mean, std = (torch.tensor(values, dtype=picture.dtype).reshape(1, -1, 1, 1) for values in (how.mean, how.std))
    if fill == "grey":
        grey = mean if mean.any() else torch.full_like(mean, 0.5)
        return ((grey - mean) / std).to(picture.device).expand_as(picture)
    random = torch.Generator().manual_seed(seed)
    noise = torch.rand(picture.shape, generator=random, dtype=torch.float32).to(picture.dtype)
    return ((noise - mean) / std).to(picture.device)


def _blurred(picture: Tensor, deviations: list[float]) -> Tensor:
    """Gaussian blur of (1, C, H, W); the picture's edge is repeated outside."""
    for axis, deviation in zip((2, 3), deviations, strict=True):
        radius = max(1, math.ceil(3 * deviation))
        offsets = torch.arange(-radius, radius + 1, device=picture.device, dtype=picture.dtype)
        weights = torch.exp(-((offsets / deviation) ** 2) / 2)
        kernel = (weights / weights.sum()).reshape(1, 1, *((-1, 1) if axis == 2 else (1, -1)))
        padding = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        padded = torch.nn.functional.pad(picture, padding, mode="replicate")
        channels = picture.shape[1]
        picture = torch.nn.functional.conv2d(padded, kernel.repeat(channels, 1, 1, 1), groups=channels)
    return picture
