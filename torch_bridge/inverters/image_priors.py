"""Natural image priors: the alpha norm and total variation, which are low for natural pictures.

Mahendran and Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them", equations 3 and 4. Pictures
are (N, C, H, W) float in steps of 1/255 from mid-grey; the paper takes differences from the mean picture.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

ALPHA, ALPHA_WEIGHT, TV_WEIGHT = 6, 8e-10, 10.0
"""Defaults of the authors' program, which halves both weights in the sum."""


def alpha_norm(pictures: Tensor, alpha: int = ALPHA) -> Tensor:
    """Returns sum |x|^alpha of each picture, (N,) float; alpha is even."""
    return pictures.pow(alpha).flatten(1).sum(1)


def total_variation(pictures: Tensor, beta: float) -> Tensor:
    """Returns sum (dx^2 + dy^2)^(beta / 2) of each picture, (N,) float; differences across the border are 0."""
    right = F.pad(pictures[..., :, 1:] - pictures[..., :, :-1], (0, 1, 0, 0))
    down = F.pad(pictures[..., 1:, :] - pictures[..., :-1, :], (0, 0, 0, 1))
    squares = right.square() + down.square()
    return (squares if beta == 2 else (squares + 1e-4).pow(beta / 2)).flatten(1).sum(1)
