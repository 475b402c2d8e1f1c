"""A generator as two halves: from codes to the maps of one layer, and from maps, changed or not, to pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..inputs.sources import standard_noise
from ..probing.partial_forward import PartialForward
from ..probing.unit_levels import noise_codes
from ..recording import Network
from ..recording.errors import InputError, ModelError

BATCH = 16
"""Codes that are run at once."""


class GeneratorLayer:
    """One layer of a generator, whose units are looked at and changed."""

    def __init__(self, model: nn.Module, layer: str, code: tuple[Any, ...], name: str = "the network") -> None:
        """code: the arguments of `forward` for one code.

        Raises InputError for a network that is no generator, or whose layer has no maps with rows and columns;
        ModelError if it fails.
        """
        self.layer = layer
        codes = noise_codes(code, 4, 0)
        if codes is None:
            raise InputError(f"{name} is no generator: its input isn't one code of normal numbers")
        self._code = code
        self.forward = PartialForward(model, [layer], code)
        with torch.no_grad():
            result = self.forward(codes, to_output=True)
        output, maps = result.output, result.maps[layer]
        if output is None or output.dim() != 4 or output.shape[1] not in (1, 3):
            raise InputError(f"{name} is no generator: its output isn't pictures (N, 1 | 3, H, W)")
        if min(maps.shape[2:]) < 2:
            raise InputError(f"layer {layer} of {name} has no maps with rows and columns; choose a convolution")
        self.units, self.size = int(maps.shape[1]), (int(maps.shape[2]), int(maps.shape[3]))
        self._is_signed = not result.independent and float(output.min()) < 0

    def codes(self, count: int, seed: int) -> Tensor:
        """Returns normal codes (count, …) float32."""
        codes = noise_codes(self._code, count, seed)
        assert codes is not None
        return codes[0]

    def codes_of(self, seeds: Iterable[int]) -> Tensor:
        """Returns the codes (n, …) float32 of the inputs noise:SEED, so that people and units see the same pictures."""
        shape = tuple(self._code[0].shape[1:])
        drawn = [standard_noise(seed, shape) for seed in seeds]
        return torch.from_numpy(np.stack(drawn)).to(self._code[0])

    def maps_and_pictures(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the layer's maps (N, U, h, w) and the pictures (N, 1 | 3, H, W) 0..1 of codes, both float32."""
        maps, pictures = [], []
        with torch.no_grad():
            for part in codes.split(BATCH):
                result = self.forward((part,), to_output=True)
                maps.append(result.maps[self.layer].float())
                pictures.append(self._brightness(result))
        return torch.cat(maps), torch.cat(pictures)

    def changed(self, codes: Tensor, change: Callable[[Tensor], None]) -> Tensor:
        """Returns the pictures (N, 1 | 3, H, W) 0..1 of codes after a change of the layer's maps.

        change: changes maps (N, U, h, w) in place; gradients pass through it where they are enabled.
        """
        return self._brightness(self.forward((codes,), {self.layer: change}, to_output=True))

    def _brightness(self, result: Any) -> Tensor:
        output: Tensor = result.output.float()
        if result.independent:
            return output.sigmoid()
        return (output + 1) / 2 if self._is_signed else output


def convolution_layers(network: Network) -> list[str]:
    """Returns the layers that panels show and that have maps with rows and columns, in order.

    Raises ModelError for a network without any.
    """
    found = [layer.shows for layer in network.layers if layer.role == "panel"]
    maps = [id for id in found if min(network.layer(id).map_shape[1:]) > 1]
    if not maps:
        raise ModelError(
            f"{network.name} has no layer whose maps have rows and columns; a generator with convolutions is needed"
        )
    return maps
