"""Picture errors and feature errors, relative to what would be expected of unlike pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data import random_indices

if TYPE_CHECKING:
    from ..method_support.method import MethodContext

COMPARED_PICTURES = 48
"""Number of pictures of the data set whose distances set the scale."""
PICTURES_PER_STEP = 8


class PictureErrorScale:
    """The squared distance that counts as a picture error of 1: the mean one between two pictures of the data set.

    Without a data set, or if its pictures differ in size from the input, it is twice the input's variance about its
    mean colour, which is the mean squared distance of two noise pictures of that variance.
    """

    def __init__(self, context: MethodContext, seed: int) -> None:
        self._context, self._seed = context, seed
        contrast = context.picture.float() - context.picture.float().mean((2, 3), keepdim=True)
        self.squared_distance = max(2 * float(contrast.square().sum()), 1e-12)
        """Squared distance, in the network's values, that counts as 1."""
        self.description = "twice the input's variance"
        """What counts as 1, for labels."""

    def measure(self) -> Iterator[str]:
        """Sets the scale from the data set, if there is one; yields a message after each few pictures."""
        data, pictures = self._context.data, []
        if data is None:
            return
        for number, index in enumerate(random_indices(data, min(COMPARED_PICTURES, len(data)), self._seed), 1):
            pictures.append(load_picture(self._context, index))
            if number % PICTURES_PER_STEP == 0:
                yield f"compared {number} pictures of {data.name}"
        same_size = [picture for picture in pictures if picture.shape == self._context.picture.shape[1:]]
        if len(same_size) > 1 and (distance := mean_pair_distance(torch.stack(same_size))) > 0:
            self.squared_distance, self.description = distance, f"two pictures of {data.name}"

    def error(self, pictures: Tensor, original: Tensor) -> Tensor:
        """Returns the errors (N,) float of (N, C, H, W) pictures against (1, C, H, W), all in the network's values."""
        return (pictures - original).flatten(1).square().sum(1) / self.squared_distance


def load_picture(context: MethodContext, index: int) -> Tensor:
    """Returns a picture of the data set as the network takes it: (C, H, W) float32, normalised."""
    assert context.data is not None
    return context.arguments_from_picture(context.data.picture(index))[0][0].float()


def mean_pair_distance(pictures: Tensor) -> float:
    """Returns the mean squared distance of all pairs of (N, ...) pictures, N > 1: twice their total variance."""
    return float(2 * pictures.flatten(1).float().var(0).sum())


def feature_error(maps: Tensor, target: Tensor) -> Tensor:
    """Returns |A - A0|^2 / |A0|^2, (N,) float, for maps A (N, C, H, W) and the target A0 (1, C, H, W)."""
    return (maps - target).flatten(1).square().sum(1) / target.square().sum()
