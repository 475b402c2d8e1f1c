"""How unlike a natural picture a picture is: large values, and differences between neighbours.

Mahendran and Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them", equations 3 and 4.
Pictures here are (N, C, H, W) about mid-grey in steps of 1/255, as theirs are about their mean.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

ALPHA, ALPHA_WEIGHT, TV_WEIGHT = 6, 8e-10, 10.0
"""Defaults of the authors' program; both weights are halved in the sum."""


def alpha_norm(pictures: Tensor, alpha: int = ALPHA) -> Tensor:
    """(N,): the sum of |value| to the power of alpha, an even number."""
    return pictures.pow(alpha).flatten(1).sum(1)


def total_variation(pictures: Tensor, beta: float) -> Tensor:
    """(N,): the sum of (dx² + dy²) to the power of beta / 2; past the last row and column nothing differs."""
    right = F.pad(pictures[..., :, 1:] - pictures[..., :, :-1], (0, 1, 0, 0))
    down = F.pad(pictures[..., 1:, :] - pictures[..., :-1, :], (0, 0, 0, 1))
    squares = right.square() + down.square()
    return (squares if beta == 2 else (squares + 1e-4).pow(beta / 2)).flatten(1).sum(1)
