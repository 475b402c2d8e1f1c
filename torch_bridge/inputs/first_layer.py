"""Finds the first layer of a network, which shows what inputs it takes: kind, channels, rank."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import nn


LENGTH = 16
"""Number of tokens, time steps or frames, if nothing states it."""


@dataclass(frozen=True)
class FirstLayer:
    """The first registered layer with weights."""

    path: str
    kind: Literal["picture", "sequence", "steps", "volume", "latent", "vector", "tokens"]
    """Kind of the input; sequence: (C, L); steps: (L, C); volume: (C, T, H, W); latent: the input of a generator."""
    channels: int
    """Number of channels, length of a vector, or number of different tokens."""
    rank: int
    """Number of axes of the input, with the batch."""

    def sample_shape(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Returns a plausible shape of one input, without the batch; `size` is (height, width) of pictures."""
        return {
            "picture": (self.channels, *size),
            "volume": (self.channels, LENGTH, *size),
            "sequence": (self.channels, 8 * LENGTH),
            "steps": (LENGTH, self.channels),
            "latent": (self.channels,) + (1,) * (self.rank - 2),
            "vector": (self.channels,),
            "tokens": (LENGTH,),
        }[self.kind]


def find_first_layer(module: nn.Module) -> FirstLayer | None:
    """Returns the first module whose class shows what it takes; None if there is none, as in exported programs."""
    for path, layer in module.named_modules():
        first = _read_layer(path, layer)
        if first is not None:
            return first
    return None


def _read_layer(path: str, layer: nn.Module) -> FirstLayer | None:
    from torch import nn

    if isinstance(layer, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        return FirstLayer(path, "latent", layer.in_channels, len(layer.kernel_size) + 2)
    if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        kind: Any = ("sequence", "picture", "volume")[len(layer.kernel_size) - 1]
        return FirstLayer(path, kind, layer.in_channels, len(layer.kernel_size) + 2)
    if isinstance(layer, nn.Linear):
        return FirstLayer(path, "vector", layer.in_features, 2)
    if isinstance(layer, nn.Embedding):
        return FirstLayer(path, "tokens", layer.num_embeddings, 2)
    if isinstance(layer, nn.RNNBase):
        return FirstLayer(path, "steps", layer.input_size, 3)
    return None


def argument_names(module: nn.Module) -> list[str]:
    """Returns the names of the positional arguments that `forward` requires."""
    parameters = inspect.signature(module.forward).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        parameter.name
        for parameter in parameters
        if parameter.kind in positional and parameter.default is inspect.Parameter.empty
    ]


def takes_list(module: nn.Module) -> bool:
    """Whether `forward` takes a list of pictures (C, H, W) instead of a batch, as torchvision's detection models do.

    This is read from its annotation, or from a child module that makes a batch of a list.
    """
    first = next(iter(inspect.signature(module.forward).parameters.values()), None)
    annotation = str(first.annotation).lower().removeprefix("typing.") if first is not None else ""
    return annotation.startswith("list[") or any(
        type(part).__name__ == "GeneralizedRCNNTransform" for part in module.children()
    )
