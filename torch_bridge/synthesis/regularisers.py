"""Regularisers of activation maximisation: functions that change pictures' parameters before or after a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class StepState(NamedTuple):
    """State of the step, passed to regularisers."""

    step: int
    """Number of the next step, or, after a step, of the last one; from 0."""
    random_numbers: Tensor
    """(N, k) float32 random numbers 0..1 of this step."""
    gradient: Tensor | None = None
    """(N, *shape) gradient of the last step; None before a step."""
    picture_indices: Sequence[int] = ()
    """Each picture's number in the batch."""


Regulariser = Callable[[Tensor, StepState], Tensor]
"""Maps parameters (N, *shape) to parameters of the same shape."""


def sphere(radius: float) -> Regulariser:
    """Scales every picture to this norm. Erhan et al. 2009."""
    return lambda values, state: values * (radius / norms(values).clamp_min(1e-12))


def within(low: Tensor, high: Tensor) -> Regulariser:
    """Clips values to a range, such as black to white. low, high: (1, C, 1, 1)."""
    return lambda values, state: torch.minimum(torch.maximum(values, low), high)


@dataclass(frozen=True)
class YosinskiRegulariser:
    """One set of regularisers of Yosinski et al. 2015, "Understanding Neural Networks Through Deep Visualization".

    After their optimize/gradient_optimizer.py.
    """

    decay: float
    """Share by which values shrink at each step."""
    blur: float
    """Standard deviation of the blur in pixels."""
    blur_interval: int
    """Steps between two blurs; 0: never."""
    small: float
    """Percentile of pixel norms below which pixels are set to the mean."""
    idle: float
    """Percentile of |sum over colours of value x gradient| below which pixels are set to the mean."""

    def __call__(self, values: Tensor, state: StepState) -> Tensor:
        """Regularises (N, C, H, W) pixels around the mean, after a step."""
        values = values * (1 - self.decay)
        if self.blur_interval and state.step % self.blur_interval == 0:
            values = blurred(values, self.blur, max(1, math.ceil(4 * self.blur)))
        if self.small:
            values = values * _above(values.norm(dim=1), self.small)
        if self.idle and state.gradient is not None:
            values = values * _above((values * state.gradient).sum(1).abs(), self.idle)
        return values


def alternate(regularisers: Sequence[Regulariser]) -> Regulariser:
    """Applies the regularisers in turn, one to each picture of the batch."""

    def alternating(values: Tensor, state: StepState) -> Tensor:
        result = torch.empty_like(values)
        for k, regulariser in enumerate(regularisers):
            own = [
                position for position, picture in enumerate(state.picture_indices) if picture % len(regularisers) == k
            ]
            gradient = None if state.gradient is None else state.gradient[own]
            result[own] = regulariser(values[own], state._replace(gradient=gradient))
        return result

    return alternating


def deepvisionvr(values: Tensor, state: StepState) -> Tensor:
    """Regularises (N, C, H, W) before a step, with random choices shared by all pictures.

    Linse et al. 2022, after Criscraft/DeepVisionVRServer, FeatureVisualizerRobust.py: random rotation, scale, blur and
    roll; then values move 5 % of the way to zero mean and unit deviation.
    """
    turned, angle, scaled, scale, rolled, down, across = state.random_numbers[0, :7].tolist()
    padded = F.pad(values, (EDGE,) * 4, mode="replicate")
    if turned < 0.3:
        padded = _resampled(padded, math.radians(20 * angle - 10), 1.0, "nearest")
    if scaled < 0.05:
        padded = _resampled(padded, 0.0, 1 + 0.05 * scale, "bilinear")
    values = blurred(padded, 0.5, 2)[:, :, EDGE:-EDGE, EDGE:-EDGE]
    if rolled < 0.3:
        values = values.roll((int(11 * down) - 5, int(11 * across) - 5), (2, 3))
    flat = values.flatten(1)
    mean, std = (statistic.reshape(-1, 1, 1, 1) for statistic in (flat.mean(1), flat.std(1)))
    return 0.95 * values + 0.05 * (values - mean) / std.clamp_min(1e-6)  # a uniform picture has std 0


EDGE = 10
"""Pixels of padding around a picture that is rotated, scaled and blurred."""


def norms(values: Tensor) -> Tensor:
    """(N, …) -> (N, 1, …): the Euclidean norm of each picture's values."""
    return values.flatten(1).norm(dim=1).reshape(-1, *[1] * (values.dim() - 1))


def blurred(values: Tensor, sigma: float, radius: int) -> Tensor:
    """Gaussian blur of (N, C, H, W) with edges repeated; sigma and radius in pixels."""
    offsets = torch.arange(-radius, radius + 1, device=values.device, dtype=values.dtype)
    kernel = (-(offsets**2) / (2 * sigma**2)).exp()
    kernel = (kernel / kernel.sum()).repeat(values.shape[1], 1, 1, 1)
    padded = F.pad(values, (radius,) * 4, mode="replicate")
    across = F.conv2d(padded, kernel, groups=values.shape[1])
    return F.conv2d(across, kernel.transpose(2, 3), groups=values.shape[1])


def _above(sizes: Tensor, percent: float) -> Tensor:
    """(N, H, W) -> (N, 1, H, W): 1 where a size is at least this percentile of its picture's sizes, else 0."""
    flat = sizes.flatten(1)
    threshold = flat.kthvalue(max(1, math.ceil(percent / 100 * flat.shape[1])), dim=1).values
    return (sizes >= threshold[:, None, None]).to(sizes.dtype)[:, None]


def _resampled(values: Tensor, angle: float, scale: float, mode: str) -> Tensor:
    """(N, C, H, W) rotated (radians) and scaled around the centre; corners are filled with 0."""
    height, width = values.shape[2:]
    cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
    theta = values.new_tensor([[cos, sin * height / width, 0], [-sin * width / height, cos, 0]])
    grid = F.affine_grid(theta.expand(len(values), 2, 3), list(values.shape), align_corners=False)
    return F.grid_sample(values, grid, mode=mode, align_corners=False)
