"""The inputs of a run: how they are passed, which axis is the batch, and a picture of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ..recording.errors import InputError
from .call_arguments import Keywords
from .trace.axes import input_axes
from .trace.op_types import tensors_in
from .values.map_layout import Axes
from .values.thumbnail import draw_thumbnail


@dataclass(frozen=True)
class ModelInputs:
    """The arguments of one forward pass."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: tuple[torch.Tensor, ...]
    """All tensors among the arguments, of any shape and dtype."""
    list_items: tuple[torch.Tensor, ...]
    """Tensors that came in a list: detection models take a list of pictures (C, H, W) instead of a batch."""
    unbatched_rank: int
    """Rank of an input without a batch axis, if the network has a convolution; else 0."""
    sequence_first: bool
    """Whether the network takes (length, batch, features)."""

    @classmethod
    def from_inputs(cls, modules: Sequence[nn.Module], inputs: Any) -> ModelInputs:
        """Reads the `inputs` of `record`: a tensor or list, a tuple (positional, Keywords last) or a dict.

        modules: all modules of the network, in its own order. Raises InputError if there is no tensor.
        """
        passed = inputs if isinstance(inputs, tuple) else (Keywords(inputs) if isinstance(inputs, dict) else inputs,)
        args = tuple(value for value in passed if not isinstance(value, Keywords))
        kwargs = {name: value for named in passed[len(args) :] for name, value in named.items()}
        tensors = tuple(tensors_in((args, kwargs)))
        if not tensors:
            raise InputError(f"no tensor in the inputs ({type(inputs).__name__}): pass one, a tuple or a dict of them")
        lists = [value for value in (*args, *kwargs.values()) if isinstance(value, list)]
        return cls(args, kwargs, tensors, tuple(tensors_in(lists)), _unbatched_rank(modules), _sequence_first(modules))

    def axes(self, tensor: torch.Tensor) -> Axes:
        """Returns what the axes of an input, of any shape and dtype, are assumed to mean."""
        shape = tuple(tensor.shape)
        single = self._is_list_item(tensor) and len(shape) == 3
        unbatched = single or len(shape) == self.unbatched_rank
        return input_axes(shape, unbatched, _holds_integers(tensor), self.sequence_first)

    @property
    def batch_size(self) -> int:
        """Number of inputs that are passed at once."""
        first = self.tensors[0]
        axis = self.axes(first).batch
        if axis is None:
            return max(len(self.list_items), 1) if self._is_list_item(first) else 1
        return first.shape[axis]

    def draw(self, index: int) -> np.ndarray:
        """Returns a picture of input number `index`: (H, W, 3) uint8 sRGB, top row first."""
        first = self.tensors[0]
        if self.axes(first).batch is None and self._is_list_item(first):
            return draw_thumbnail(self.list_items[index], self.axes(self.list_items[index]))
        return draw_thumbnail(first, self.axes(first), self.batch_size, index)

    def _is_list_item(self, tensor: torch.Tensor) -> bool:
        return any(tensor is item for item in self.list_items)


def _holds_integers(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() and not tensor.is_complex()


def _unbatched_rank(modules: Sequence[nn.Module]) -> int:
    for module in modules:
        if isinstance(module, nn.modules.conv._ConvNd):
            return len(module.kernel_size) + 1
    return 0


def _sequence_first(modules: Sequence[nn.Module]) -> bool:
    """Whether the token axis precedes the batch axis: all attention and recurrent layers say so, no convolution."""
    if any(isinstance(module, nn.modules.conv._ConvNd) for module in modules):
        return False
    sequences = [module for module in modules if isinstance(module, (nn.MultiheadAttention, nn.RNNBase))]
    return bool(sequences) and not any(module.batch_first for module in sequences)
