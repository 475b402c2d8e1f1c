"""Converts between a network's input values, brightness 0..1, and sRGB pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .preprocess import Preprocessing


class Pixels:
    """The value ranges of a network's pictures. Brightness is a fraction of full brightness in sRGB, 0..1."""

    def __init__(self, preprocessing: Preprocessing, picture: Tensor) -> None:
        """picture: an input of the network, (1, C, H, W) in its own units, dtype and device."""
        self.mean, self.std = (
            torch.tensor(numbers, dtype=torch.float32, device=picture.device).reshape(1, -1, 1, 1)
            for numbers in (preprocessing.mean, preprocessing.std)
        )
        self.shape, self.dtype = tuple(picture.shape[1:]), picture.dtype
        brightness = self.to_brightness(picture)
        self.range = min(0.0, float(brightness.min())), max(1.0, float(brightness.max()))
        """Brightness from black to white, extended to the range of the input, which may be no picture."""

    def to_brightness(self, values: Tensor) -> Tensor:
        """Converts the network's values (N, C, H, W) to brightness (N, C, H, W) float32."""
        return values.float() * self.std + self.mean

    def to_network(self, brightness: Tensor) -> Tensor:
        """Converts brightness (N, C, H, W) to the network's values (N, C, H, W) in its own dtype."""
        return ((brightness - self.mean) / self.std).to(self.dtype)

    def to_srgb(self, brightness: Tensor) -> np.ndarray:
        """Converts brightness (N, C, H, W) to pictures (N, H, W, 3) float32 sRGB 0..1, top row first."""
        pictures = brightness.detach().clamp(0, 1).cpu().numpy()[:, :3].transpose(0, 2, 3, 1)
        pictures = pictures if pictures.shape[3] == 3 else pictures[..., :1]
        return np.ascontiguousarray(np.broadcast_to(pictures, (*pictures.shape[:3], 3)))
