"""The share of energy above half of the highest frequency that pixels can hold: fine patterns, of 4 pixels or less."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..probing.aliasing import aliased_energy, aliased_kernel_share

HALF = (2, 2)
"""A stride of 2 keeps frequencies up to half of the highest one."""


def kernel_share(weight: Tensor) -> float:
    """Returns the mean share of kernels (out, in, h, w), 0..1; about .80 for independent random weights."""
    return float(aliased_kernel_share(weight, HALF).mean())


def picture_share(pictures: Tensor) -> float:
    """Returns the mean share of pictures (N, 3, H, W), 0..1, without their mean colour; about .80 for white noise."""
    identity = nn.Conv2d(3, 3, 1, HALF, groups=3, bias=False)
    nn.init.ones_(identity.weight)
    shares = []
    with torch.no_grad():
        for picture in pictures.float().split(1):
            above, whole = aliased_energy(identity, picture)
            shares.append(float(above.sum() / whole.sum().clamp(min=1e-30)))
    return sum(shares) / len(shares)
