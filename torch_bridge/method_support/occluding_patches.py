"""Patches that hide parts of a picture: where they lie, what is there instead, what they have done to each pixel."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..inputs.preprocess import Preprocessing

PatchFill = Literal["grey", "blur", "noise", "value"]


class OcclusionPatches:
    """Places of a patch on a picture; at the far sides it sticks out. Rows and columns are pixels."""

    def __init__(self, size: tuple[int, ...], patch: float, stride: float) -> None:
        self.size = size
        self.sides = [max(1, round(patch * length)) for length in size]
        steps = [max(1, round(stride * side)) for side in self.sides]
        self.starts = [
            np.arange(math.ceil((length - side) / step) + 1) * step
            for length, side, step in zip(size, self.sides, steps, strict=True)
        ]
        self.places = [(int(y), int(x)) for y in self.starts[0] for x in self.starts[1]]

    def hide(self, picture: Tensor, hidden: Tensor, places: list[tuple[int, int]]) -> Tensor:
        """(n, C, H, W): the picture (1, C, H, W) with a patch of `hidden` at each of these places."""
        copies = picture.repeat(len(places), 1, 1, 1)
        for copy, (y, x) in zip(copies, places, strict=True):
            patch = (..., slice(y, y + self.sides[0]), slice(x, x + self.sides[1]))
            copy[patch] = hidden[0][patch]
        return copies

    def spread(self, fallen: np.ndarray, done: int, most: int) -> np.ndarray:
        """(places, K) -> (K, h, w): each pixel the mean of the first `done` places that hide it, 0 where none does.

        Of larger maps than `most` pixels each, every second pixel and so on.
        """
        factor = math.ceil(math.sqrt(max(1.0, self.size[0] * self.size[1] / most)))
        rows, columns = (
            self._covered(axis, np.arange(0, length, factor) + (factor - 1) // 2)
            for axis, length in enumerate(self.size)
        )
        grid = [len(one) for one in self.starts]
        there = (np.arange(len(self.places)) < done).astype(np.float32).reshape(grid)
        counts = rows @ there @ columns.T
        values = (fallen * there.reshape(-1, 1)).T.reshape(-1, *grid)
        return rows @ values @ columns.T / np.maximum(counts, 1)

    def _covered(self, axis: int, pixels: np.ndarray) -> np.ndarray:
        """(pixels, places) 1 where a patch hides a row or column."""
        pixels = np.minimum(pixels, self.size[axis] - 1)[:, None]
        starts = self.starts[axis][None]
        return ((pixels >= starts) & (pixels < starts + self.sides[axis])).astype(np.float32)


def fill_picture(
    picture: Tensor, fill: PatchFill, value: float, how: Preprocessing, deviations: list[float], seed: int
) -> Tensor:  # fmt: skip
    """(1, C, H, W): what lies under the patch, for the whole picture, in the network's own numbers.

    grey: the data's mean, or middle grey where none is subtracted. deviations: of the blur, down and across, in pixels.
    """
    if fill == "value":
        return torch.full_like(picture, value)
    if fill == "blur":
        return _blurred(picture, deviations)
    mean, std = (torch.tensor(one, dtype=picture.dtype).reshape(1, -1, 1, 1) for one in (how.mean, how.std))
    if fill == "grey":
        grey = mean if mean.any() else torch.full_like(mean, 0.5)
        return ((grey - mean) / std).to(picture.device).expand_as(picture)
    random = torch.Generator().manual_seed(seed)
    noise = torch.rand(picture.shape, generator=random, dtype=torch.float32).to(picture.dtype)
    return ((noise - mean) / std).to(picture.device)


def _blurred(picture: Tensor, deviations: list[float]) -> Tensor:
    """Gaussian blur, the picture's edge repeated outside."""
    for axis, deviation in zip((2, 3), deviations, strict=True):
        reach = max(1, math.ceil(3 * deviation))
        places = torch.arange(-reach, reach + 1, device=picture.device, dtype=picture.dtype)
        weights = torch.exp(-((places / deviation) ** 2) / 2)
        kernel = (weights / weights.sum()).reshape(1, 1, *((-1, 1) if axis == 2 else (1, -1)))
        padding = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
        padded = torch.nn.functional.pad(picture, padding, mode="replicate")
        channels = picture.shape[1]
        picture = torch.nn.functional.conv2d(padded, kernel.repeat(channels, 1, 1, 1), groups=channels)
    return picture
