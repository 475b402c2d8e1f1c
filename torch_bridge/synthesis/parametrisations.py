"""Two parametrisations of pictures for gradient ascent: pixels, or Fourier coefficients of decorrelated colours."""

from __future__ import annotations

import math
from typing import Literal, Protocol

import torch
from torch import Tensor

from ..inputs.pixels import Pixels

ParametrisationName = Literal["fourier", "network", "brightness"]
"""Fourier coefficients; or pixels in units of the network's input or of full brightness."""
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the covariance of colours in photographs, as in tensorflow/lucid."""
CONTRAST = 4
"""Divides the coefficients; as in tensorflow/lucid."""
LOGIT_MARGIN = 1e-3
"""Distance from 0 and 1 to which brightness is clipped before the logit."""


class Parametrisation(Protocol):
    """A mapping between parameters (N, *shape) and the brightness of pictures (N, C, H, W), 0..1; both float32."""

    shape: tuple[int, ...]
    """Shape of one picture's parameters."""

    def to_brightness(self, values: Tensor) -> Tensor:
        """Maps parameters (N, *shape) to brightness (N, C, H, W), differentiably."""
        ...

    def to_parameters(self, brightness: Tensor) -> Tensor:
        """Maps brightness (N, C, H, W) to parameters (N, *shape) that give it as nearly as possible."""
        ...


class PixelParametrisation:
    """One unbounded number for each pixel and colour, 0 at the mean of the data."""

    def __init__(self, pixels: Pixels, size: tuple[int, int], unit: Literal["network", "brightness"]) -> None:
        """size: (height, width) in pixels. unit: of the network's normalised input, or full brightness."""
        self.shape: tuple[int, ...] = (pixels.shape[0], *size)
        self.zero, self.unit = pixels.mean, pixels.std if unit == "network" else torch.ones_like(pixels.std)

    def to_brightness(self, values: Tensor) -> Tensor:
        """Maps (N, *shape) to (N, C, H, W), see `Parametrisation`."""
        return values * self.unit + self.zero

    def to_parameters(self, brightness: Tensor) -> Tensor:
        """Maps (N, C, H, W) to (N, *shape), see `Parametrisation`."""
        return (brightness - self.zero) / self.unit


class FourierParametrisation:
    """Fourier coefficients of decorrelated colours: brightness = sigmoid(colours x irfft2(values x scale)).

    Olah et al. 2017, "Feature Visualization", after tensorflow/lucid. The scale is that of photographs.
    """

    def __init__(self, pixels: Pixels, size: tuple[int, int]) -> None:
        """size: (height, width) in pixels."""
        self.size, device = size, pixels.mean.device
        height, width = size
        self.shape: tuple[int, ...] = (pixels.shape[0], height, width // 2 + 1, 2)
        vertical = torch.fft.fftfreq(height, device=device)[:, None]
        frequency = torch.hypot(vertical, torch.fft.rfftfreq(width, device=device)).clamp_min(1 / max(size))
        self.scale = math.sqrt(height * width) / (CONTRAST * frequency)
        colours = torch.tensor(COLOURS, device=device)
        self.colours = colours / colours.norm(dim=0).max() if pixels.shape[0] == 3 else None

    def to_brightness(self, values: Tensor) -> Tensor:
        """Maps (N, *shape) to (N, C, H, W), see `Parametrisation`."""
        planes = torch.fft.irfft2(torch.view_as_complex(values) * self.scale, s=self.size)
        return torch.sigmoid(planes if self.colours is None else self._mix(self.colours, planes))

    def to_parameters(self, brightness: Tensor) -> Tensor:
        """Maps (N, C, H, W) to (N, *shape), see `Parametrisation`."""
        planes = torch.logit(brightness, LOGIT_MARGIN)
        if self.colours is not None:
            planes = self._mix(torch.linalg.inv(self.colours), planes)
        return torch.view_as_real(torch.fft.rfft2(planes) / self.scale)

    def _mix(self, colours: Tensor, planes: Tensor) -> Tensor:
        return (colours @ planes.flatten(2)).reshape(planes.shape)


def build_parametrisation(name: ParametrisationName, pixels: Pixels, size: tuple[int, int]) -> Parametrisation:
    """Returns a parametrisation by name. size: (height, width) in pixels."""
    return FourierParametrisation(pixels, size) if name == "fourier" else PixelParametrisation(pixels, size, name)
