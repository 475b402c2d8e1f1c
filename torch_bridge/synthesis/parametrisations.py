"""Two ways to write pictures as numbers that are climbed: by their pixels, or by decorrelated colours and waves."""

from __future__ import annotations

import math
from typing import Literal, Protocol

import torch
from torch import Tensor

from ..inputs.pixels import Pixels

ParametrisationName = Literal["waves", "network", "brightness"]
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the covariance of colours in photographs, as in tensorflow/lucid."""
CONTRAST = 4
GREY_LEAST = 1e-3


class Parametrisation(Protocol):
    """How pictures are written. Shares are of full brightness: (N, C, H, W)."""

    shape: tuple[int, ...]
    """Of the numbers of one picture."""

    def shares(self, values: Tensor) -> Tensor:
        """Numbers (N, *shape) -> shares, with gradients."""
        ...

    def values(self, shares: Tensor) -> Tensor:
        """The inverse: numbers that make these shares, as near as it goes."""
        ...


class PixelParametrisation:
    """A number for each pixel and colour, 0 for the mean of the data; without bounds."""

    def __init__(self, pixels: Pixels, size: tuple[int, int], unit: Literal["network", "brightness"]) -> None:
        """unit: one of the network's own numbers, or full brightness."""
        self.shape: tuple[int, ...] = (pixels.shape[0], *size)
        self.zero, self.unit = pixels.mean, pixels.std if unit == "network" else torch.ones_like(pixels.std)

    def shares(self, values: Tensor) -> Tensor:
        """As `Image` has it."""
        return values * self.unit + self.zero

    def values(self, shares: Tensor) -> Tensor:
        """As `Image` has it."""
        return (shares - self.zero) / self.unit


class FourierParametrisation:
    """Waves of colours that are independent in photographs, each weighed as it is there; always between 0 and 1.

    Olah et al. 2017, "Feature Visualization", after tensorflow/lucid: sigmoid(colours x irfft2(numbers x scale)).
    """

    def __init__(self, pixels: Pixels, size: tuple[int, int]) -> None:
        self.size, device = size, pixels.mean.device
        height, width = size
        self.shape: tuple[int, ...] = (pixels.shape[0], height, width // 2 + 1, 2)
        tall = torch.fft.fftfreq(height, device=device)[:, None]
        far = torch.hypot(tall, torch.fft.rfftfreq(width, device=device)).clamp_min(1 / max(size))
        self.scale = math.sqrt(height * width) / (CONTRAST * far)
        colours = torch.tensor(COLOURS, device=device)
        self.colours = colours / colours.norm(dim=0).max() if pixels.shape[0] == 3 else None

    def shares(self, values: Tensor) -> Tensor:
        """As `Image` has it."""
        planes = torch.fft.irfft2(torch.view_as_complex(values) * self.scale, s=self.size)
        return torch.sigmoid(planes if self.colours is None else self._mixed(self.colours, planes))

    def values(self, shares: Tensor) -> Tensor:
        """As `Image` has it."""
        planes = torch.logit(shares, GREY_LEAST)
        if self.colours is not None:
            planes = self._mixed(torch.linalg.inv(self.colours), planes)
        return torch.view_as_real(torch.fft.rfft2(planes) / self.scale)

    def _mixed(self, colours: Tensor, planes: Tensor) -> Tensor:
        return (colours @ planes.flatten(2)).reshape(planes.shape)


def build_parametrisation(way: ParametrisationName, pixels: Pixels, size: tuple[int, int]) -> Parametrisation:
    """By its name."""
    return FourierParametrisation(pixels, size) if way == "waves" else PixelParametrisation(pixels, size, way)
