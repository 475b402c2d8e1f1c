"""What keeps pictures in bounds between steps. Each rule takes the numbers of N pictures and gives others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class StepState(NamedTuple):
    """What a rule may know."""

    step: int
    """The one that comes, or has just been made, from 0."""
    numbers: Tensor
    """(N, k) random numbers 0..1 of this step."""
    gradient: Tensor | None = None
    """Of the step that has just been made."""
    rows: Sequence[int] = ()
    """Of each picture: its place in the batch."""


Regulariser = Callable[[Tensor, StepState], Tensor]


def sphere(radius: float) -> Regulariser:
    """All pictures have this norm. Erhan et al. 2009."""
    return lambda values, moment: values * (radius / norms(values).clamp_min(1e-12))


def within(low: Tensor, high: Tensor) -> Regulariser:
    """Nothing darker than black or brighter than white."""
    return lambda values, moment: torch.minimum(torch.maximum(values, low), high)


@dataclass(frozen=True)
class YosinskiRegulariser:
    """One set of regularisers of Yosinski et al. 2015, after their optimize/gradient_optimizer.py."""

    decay: float
    blur: float
    every: int
    """Steps between two blurs; 0: never."""
    small: float
    """Percent of the pixels that are set to the mean for their norm is small."""
    idle: float
    """Percent of the pixels that are set to the mean for they do little: |sum over colours of value x gradient|."""

    def __call__(self, values: Tensor, moment: StepState) -> Tensor:
        """(N, C, H, W) pixels around the mean, after a step."""
        values = values * (1 - self.decay)
        if self.every and moment.step % self.every == 0:
            values = blurred(values, self.blur, max(1, math.ceil(4 * self.blur)))
        if self.small:
            values = values * _above(values.norm(dim=1), self.small)
        if self.idle and moment.gradient is not None:
            values = values * _above((values * moment.gradient).sum(1).abs(), self.idle)
        return values


def alternate(rules: Sequence[Regulariser]) -> Regulariser:
    """The rules in turn, one for each picture of the batch."""

    def rule(values: Tensor, moment: StepState) -> Tensor:
        found = torch.empty_like(values)
        for k, one in enumerate(rules):
            own = [place for place, row in enumerate(moment.rows) if row % len(rules) == k]
            gradient = None if moment.gradient is None else moment.gradient[own]
            found[own] = one(values[own], moment._replace(gradient=gradient))
        return found

    return rule


def deepvisionvr(values: Tensor, moment: StepState) -> Tensor:
    """Criscraft/DeepVisionVRServer, FeatureVisualizerRobust.py, before a step; all pictures meet the same chances."""
    turned, angle, scaled, scale, rolled, down, across = moment.numbers[0, :7].tolist()
    wide = F.pad(values, (EDGE,) * 4, mode="replicate")
    if turned < 0.3:
        wide = _resampled(wide, math.radians(20 * angle - 10), 1.0, "nearest")
    if scaled < 0.05:
        wide = _resampled(wide, 0.0, 1 + 0.05 * scale, "bilinear")
    values = blurred(wide, 0.5, 2)[:, :, EDGE:-EDGE, EDGE:-EDGE]
    if rolled < 0.3:
        values = values.roll((int(11 * down) - 5, int(11 * across) - 5), (2, 3))
    flat = values.flatten(1)
    mean, std = (one.reshape(-1, 1, 1, 1) for one in (flat.mean(1), flat.std(1)))
    return 0.95 * values + 0.05 * (values - mean) / std.clamp_min(1e-6)  # a picture of one colour has none


EDGE = 10


def norms(values: Tensor) -> Tensor:
    """(N, …) -> (N, 1, …): of each picture's numbers."""
    return values.flatten(1).norm(dim=1).reshape(-1, *[1] * (values.dim() - 1))


def blurred(values: Tensor, sigma: float, radius: int) -> Tensor:
    """(N, C, H, W), edges going on as they end."""
    places = torch.arange(-radius, radius + 1, device=values.device, dtype=values.dtype)
    kernel = (-(places**2) / (2 * sigma**2)).exp()
    kernel = (kernel / kernel.sum()).repeat(values.shape[1], 1, 1, 1)
    wide = F.pad(values, (radius,) * 4, mode="replicate")
    across = F.conv2d(wide, kernel, groups=values.shape[1])
    return F.conv2d(across, kernel.transpose(2, 3), groups=values.shape[1])


def _above(sizes: Tensor, percent: float) -> Tensor:
    """(N, H, W) -> (N, 1, H, W): 1 where a size is not under this percentile of its picture's."""
    flat = sizes.flatten(1)
    least = flat.kthvalue(max(1, math.ceil(percent / 100 * flat.shape[1])), dim=1).values
    return (sizes >= least[:, None, None]).to(sizes.dtype)[:, None]


def _resampled(values: Tensor, angle: float, scale: float, mode: str) -> Tensor:
    """Turned and scaled around the middle; 0 comes in at the corners."""
    height, width = values.shape[2:]
    cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
    theta = values.new_tensor([[cos, sin * height / width, 0], [-sin * width / height, cos, 0]])
    grid = F.affine_grid(theta.expand(len(values), 2, 3), list(values.shape), align_corners=False)
    return F.grid_sample(values, grid, mode=mode, align_corners=False)
