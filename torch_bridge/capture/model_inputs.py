"""The inputs of a run: how they are passed, which axis is the batch, what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ..recording.errors import InputError
from .trace.axes import input_axes
from .trace.op_types import tensors_in
from .values.map_layout import Axes
from .values.thumbnail import draw_thumbnail


@dataclass(frozen=True)
class ModelInputs:
    """Arguments of one forward pass."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: tuple[torch.Tensor, ...]
    listed: tuple[torch.Tensor, ...]
    """Those that came in a list, as detection models take pictures: without batch, a list item each."""
    unbatched_rank: int
    """Rank of an input without batch, where the first convolution says it; else 0."""
    sequence_first: bool

    @classmethod
    def of(cls, modules: Sequence[nn.Module], inputs: Any) -> ModelInputs:
        """inputs: a tensor or list (the only argument), a tuple (positional) or a dict (by keyword).

        modules: of the network, in its own order. Raises InputError where there is no tensor.
        """
        args = inputs if isinstance(inputs, tuple) else () if isinstance(inputs, dict) else (inputs,)
        kwargs = dict(inputs) if isinstance(inputs, dict) else {}
        tensors = tuple(tensors_in((args, kwargs)))
        if not tensors:
            raise InputError(f"no tensor in the inputs ({type(inputs).__name__}): pass one, a tuple or a dict of them")
        lists = [value for value in (*args, *kwargs.values()) if isinstance(value, list)]
        return cls(args, kwargs, tensors, tuple(tensors_in(lists)), _unbatched_rank(modules), _sequence_first(modules))

    def axes(self, tensor: torch.Tensor) -> Axes:
        """What the axes of an input are taken for."""
        shape = tuple(tensor.shape)
        single = any(tensor is one for one in self.listed) and len(shape) == 3
        return input_axes(shape, single or len(shape) == self.unbatched_rank, _whole(tensor), self.sequence_first)

    @property
    def batch(self) -> int:
        """How many inputs are given at once."""
        first = self.tensors[0]
        axis = self.axes(first).batch
        if axis is None:
            return max(len(self.listed), 1) if any(first is one for one in self.listed) else 1
        return first.shape[axis]

    def picture(self, index: int) -> np.ndarray:
        """(H, W, 3) uint8 sRGB of input number `index`."""
        first = self.tensors[0]
        if self.axes(first).batch is None and any(first is one for one in self.listed):
            return draw_thumbnail(self.listed[index], self.axes(self.listed[index]))
        return draw_thumbnail(first, self.axes(first), self.batch, index)


def _whole(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() and not tensor.is_complex()


def _unbatched_rank(modules: Sequence[nn.Module]) -> int:
    for module in modules:
        if isinstance(module, nn.modules.conv._ConvNd):
            return len(module.kernel_size) + 1
    return 0


def _sequence_first(modules: Sequence[nn.Module]) -> bool:
    """Whether tokens come before the batch: attention or recurrent layers that want it so, and no convolution."""
    if any(isinstance(module, nn.modules.conv._ConvNd) for module in modules):
        return False
    sequences = [module for module in modules if isinstance(module, (nn.MultiheadAttention, nn.RNNBase))]
    return bool(sequences) and not any(module.batch_first for module in sequences)
