"""How far a picture, or its maps at a layer, is off: shares of what can be expected between unlike ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data import random_indices

if TYPE_CHECKING:
    from ..method_support.method import MethodContext

COMPARED = 48
"""Pictures of the data that tell how far pictures are apart."""
AT_ONCE = 8


class Yardstick:
    """What counts as a picture error of 1: as far off as another picture of the data.

    Without data, or where its pictures are of other sizes than the input: twice the input's variance about its mean
    colour, which would be the same for pictures that are all noise.
    """

    def __init__(self, work: MethodContext, seed: int) -> None:
        self._work, self._seed = work, seed
        about = work.picture.float() - work.picture.float().mean((2, 3), keepdim=True)
        self.square, self.said = max(2 * float(about.square().sum()), 1e-12), "twice its contrast"

    def looking(self) -> Iterator[str]:
        """Find it out; yields what it does between small pieces of work."""
        data, seen = self._work.data, []
        if data is None:
            return
        for number, index in enumerate(random_indices(data, min(COMPARED, len(data)), self._seed), 1):
            seen.append(picture_of(self._work, index))
            if number % AT_ONCE == 0:
                yield f"looked at {number} pictures of {data.name}"
        alike = [one for one in seen if one.shape == self._work.picture.shape[1:]]
        if len(alike) > 1 and (square := spread(torch.stack(alike))) > 0:
            self.square, self.said = square, f"two pictures of {data.name}"

    def error(self, pictures: Tensor, picture: Tensor) -> Tensor:
        """(N,): of (N, C, H, W) pictures, against the one (1, C, H, W) they should be, in the network's numbers."""
        return (pictures - picture).flatten(1).square().sum(1) / self.square


def picture_of(work: MethodContext, index: int) -> Tensor:
    """(C, H, W) float32: a picture of the data in the network's own numbers."""
    assert work.data is not None
    first = work.feed(work.data.picture(index))[0]
    return (first[0] if isinstance(first, list) else first[0]).float()


def spread(pictures: Tensor) -> float:
    """Mean squared distance of all pairs of (N, …), N above 1; twice their variance about the mean picture."""
    return float(2 * pictures.flatten(1).float().var(0).sum())


def feature_error(maps: Tensor, wanted: Tensor) -> Tensor:
    """(N,): squared distance of (N, C, H, W) maps from (1, C, H, W), as a share of the latter's squared norm."""
    return (maps - wanted).flatten(1).square().sum(1) / wanted.square().sum()
