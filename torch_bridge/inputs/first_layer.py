"""What a network's first layer tells about the inputs it takes: kind, channels, rank."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import nn


LENGTH = 16
"""Tokens, time steps or frames, where nothing says how many."""


@dataclass(frozen=True)
class FirstLayer:
    """The first layer with weights, as registered."""

    path: str
    kind: Literal["picture", "sequence", "steps", "volume", "latent", "vector", "tokens"]
    """sequence: (C, L); steps: (L, C); volume: (C, T, H, W); latent: the input of a generator."""
    channels: int
    """Channels, length of a vector, or how many different tokens there are."""
    rank: int
    """Dimensions of the input with its batch."""

    def sample(self, size: tuple[int, int]) -> tuple[int, ...]:
        """A plausible shape of one input, without the batch, for pictures of `size` (height, width)."""
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
    """The first module that says what it takes; None where there is none, such as in exported programs."""
    for path, layer in module.named_modules():
        stem = _stem(path, layer)
        if stem is not None:
            return stem
    return None


def _stem(path: str, layer: nn.Module) -> FirstLayer | None:
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
    """Names of the positional arguments that `forward` can't do without."""
    found = inspect.signature(module.forward).parameters.values()
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in found if one.kind in places and one.default is inspect.Parameter.empty]


def takes_list(module: nn.Module) -> bool:
    """Whether `forward` takes a list of pictures (C, H, W) instead of a batch, as torchvision's detection models do.

    Its annotation says so, or, where there is none, the part that makes a batch of them does.
    """
    first = next(iter(inspect.signature(module.forward).parameters.values()), None)
    said = str(first.annotation).lower().removeprefix("typing.") if first is not None else ""
    return said.startswith("list[") or any(
        type(part).__name__ == "GeneralizedRCNNTransform" for part in module.children()
    )
