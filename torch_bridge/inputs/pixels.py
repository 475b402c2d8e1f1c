"""Between a network's own numbers, shares of full brightness, and what is shown."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .preprocess import Preprocessing


class Pixels:
    """What pictures are to a network, next to one that it was given: (1, C, H, W)."""

    def __init__(self, how: Preprocessing, picture: Tensor) -> None:
        self.mean, self.std = (
            torch.tensor(one, dtype=torch.float32, device=picture.device).reshape(1, -1, 1, 1)
            for one in (how.mean, how.std)
        )
        self.shape, self.dtype = tuple(picture.shape[1:]), picture.dtype
        shares = self.shares(picture)
        self.range = min(0.0, float(shares.min())), max(1.0, float(shares.max()))
        """Of shares: black to white, and as far beyond as the picture itself goes, which may be no picture."""

    def shares(self, values: Tensor) -> Tensor:
        """The network's numbers -> shares of full brightness, float32."""
        return values.float() * self.std + self.mean

    def values(self, shares: Tensor) -> Tensor:
        """Shares -> the network's numbers, in its own format."""
        return ((shares - self.mean) / self.std).to(self.dtype)

    def shown(self, shares: Tensor) -> np.ndarray:
        """(N, C, H, W) shares -> (N, H, W, 3) sRGB 0..1."""
        plain = shares.detach().clamp(0, 1).cpu().numpy()[:, :3].transpose(0, 2, 3, 1)
        plain = plain if plain.shape[3] == 3 else plain[..., :1]
        return np.ascontiguousarray(np.broadcast_to(plain, (*plain.shape[:3], 3)))
