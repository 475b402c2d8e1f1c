"""SmoothGrad: the gradient of a class's score or a channel, averaged over noisy copies of the picture.

max over colours of |1/n sum_i dS/dx at x + e_i|, e_i Gaussian noise.
Smilkov et al. 2017, "SmoothGrad: removing noise by adding noise".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ..attribution.explained_values import EXPLAINED_HELP, Explained
from ..attribution.mean_gradients import GradientMean, attribute_means
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import Method, MethodContext, Step, parameter
from ..predictions.classes import PREDICTED


@dataclass(frozen=True)
class Parameters:
    """What is explained, and the noise."""

    of: Explained = parameter("class", EXPLAINED_HELP)
    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    count: int = parameter(50, "Noisy copies", 1, 10_000)
    noise: float = parameter(0.15, "Standard deviation of the noise, as a share of the picture's range", 0.0, 10.0)
    seed: int = parameter(0, "Seed of the noise", 0, 2**31 - 1)


def smooth_grad(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Computes gradients at some noisy copies at a time.

    Maps: (1, H, W) for a class, (C, H, W) for channels, 0 or more, units of the score or channel per normalised input,
    over the input. Raises InputError and ModelError.
    """
    picture = context.picture.detach()[:1]
    deviation = parameters.noise * float(picture.max() - picture.min())

    def noisy(number: int) -> torch.Tensor:
        # A generator for each copy: the noise doesn't depend on how many copies run at once.
        noise = np.random.default_rng((parameters.seed, number)).standard_normal(picture.shape, np.float32)
        return picture + deviation * torch.from_numpy(noise).to(picture)

    method = GradientMean(SMOOTH_GRAD.name, parameters.count, noisy, lambda means: means.abs().amax(1))
    yield from attribute_means(context, method, parameters.of, parameters.of_class)


SMOOTH_GRAD = Method(
    "smooth_grad",
    "SmoothGrad",
    "How strongly each pixel changes a class's score or a channel, averaged over noisy copies.",
    smooth_grad,
    Parameters,
    repeats="channel unless class",
)
