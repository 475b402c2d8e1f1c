"""The inputs of a run: how they are passed, which axis is the batch, and a picture of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from ..inputs.source_names import names_input
from ..recording.errors import InputError
from .axis_measurement import SEQUENCE_MODULES, AxisMeasurement
from .call_arguments import Keywords
from .trace.axes import graph_axes, input_axes
from .trace.op_types import shape_of, tensors_in
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
    sequence_first: bool = False
    """Whether the network takes (length, batch, features)."""
    is_single: bool = False
    """Whether the inputs have no batch axis: one picture (C, H, W), one sequence (L, D)."""

    @classmethod
    def from_inputs(cls, paths: Mapping[nn.Module, str], inputs: Any) -> ModelInputs:
        """Reads the `inputs` of `record`: a tensor or list, a tuple (positional, Keywords last) or a dict.

        Numpy arrays become tensors of their dtype. paths: the path of every module, the network first.
        Raises InputError if there is no tensor.
        """
        passed = inputs if isinstance(inputs, tuple) else (Keywords(inputs) if isinstance(inputs, dict) else inputs,)
        args = tuple(_as_tensors(value) for value in passed if not isinstance(value, Keywords))
        kwargs = {name: _as_tensors(value) for named in passed[len(args) :] for name, value in named.items()}
        if named := next(filter(names_input, [*args, *kwargs.values()]), None):
            raise InputError(f"{str(named)[:60]!r} isn't read here: pass a tensor, or make a hall with Hall.of")
        tensors = tuple(tensors_in((args, kwargs)))
        if not tensors:
            raise InputError(f"no tensor in the inputs ({type(inputs).__name__}): pass one, a tuple or a dict of them")
        lists = [value for value in (*args, *kwargs.values()) if isinstance(value, list)]
        passed_inputs = cls(args, kwargs, tensors, tuple(tensors_in(lists)))
        return passed_inputs._told_from_single(paths)._with_measured_batch(paths)

    def _told_from_single(self, paths: Mapping[nn.Module, str]) -> ModelInputs:
        """Finds out whether inputs of too few axes for a batch at the first convolution get them inside the network."""
        first = self.tensors[0]
        rank = next((len(own.kernel_size) + 1 for own in paths if isinstance(own, nn.modules.conv._ConvNd)), 0)
        if not 2 <= first.dim() <= rank or _holds_integers(first) or self._is_list_item(first) or self.is_graph:
            return self
        measurement = self.measurement(paths)
        documented = measurement.run().documented if measurement else None
        return replace(self, is_single=documented is False or (documented is None and first.dim() == rank))

    def _with_measured_batch(self, paths: Mapping[nn.Module, str]) -> ModelInputs:
        """Finds the axis that reaches recurrent and attention layers as the batch that they document."""
        first, sequences = self.tensors[0], [own for own in paths if isinstance(own, SEQUENCE_MODULES)]
        batch_first = first.dim() == 3 and all(own.batch_first for own in sequences)
        if not sequences or batch_first or first.dim() not in (2, 3) or self.is_single or self._is_list_item(first):
            return self
        if self.is_graph:
            return self
        is_vector = first.dim() == 2 and not _holds_integers(first)
        options = [self, *([] if is_vector else [replace(self, sequence_first=True)])]
        found = [option.measurement(paths) for option in options]
        documented = [measurement.run().documented if measurement else None for measurement in found]
        if is_vector and documented == [False]:
            return replace(self, is_single=True)
        return options[documented.index(True)] if True in documented else self

    @property
    def is_graph(self) -> bool:
        """Whether the first tensor holds the nodes (V, D) of one graph, with edges (2, E) beside it."""
        first, *others = self.tensors
        edges = any(other.dim() == 2 and len(other) == 2 and _holds_integers(other) for other in others)
        return first.dim() == 2 and len(first) != 2 and not _holds_integers(first) and edges

    def axes(self, tensor: torch.Tensor) -> Axes:
        """Returns what the axes of an input, of any shape and dtype, are assumed to mean."""
        shape, is_first = shape_of(tensor), tensor is self.tensors[0]
        if is_first and self.is_graph:
            return graph_axes(shape)
        is_picture = len(shape) == 3 and self._is_list_item(tensor)
        unbatched = is_picture or (self.is_single and len(shape) <= self.tensors[0].dim())
        sequence_first = self.sequence_first or (not is_first and self._is_state(shape))
        return input_axes(shape, unbatched, _holds_integers(tensor), sequence_first)

    def _is_state(self, shape: tuple[int, ...]) -> bool:
        """Whether a further input is like the state (layers, N, D) of a recurrent layer."""
        return len(shape) == 3 and shape[0] != self.batch_size == shape[1]

    def measurement(self, paths: Mapping[nn.Module, str], index: int = 0) -> AxisMeasurement | None:
        """Returns the measurement of this network's axes with input number `index`; None if there is no batch axis."""
        batch = self.axes(self.tensors[0]).batch
        if batch is None:
            return None
        size = self.tensors[0].shape[batch]
        axes = {tensor: self._scalable_axes(tensor, size) for tensor in self.tensors}
        return AxisMeasurement(paths, (self.args, self.kwargs), axes, index)

    def _scalable_axes(self, tensor: torch.Tensor, size: int) -> Axes:
        """Returns the axes of an input, without the batch where it has another size than the first input's."""
        axes = self.axes(tensor)
        batch = 0 if tensor.dim() == 1 else axes.batch
        return axes._replace(batch=batch if batch is not None and tensor.shape[batch] == size else None)

    @property
    def batch_size(self) -> int:
        """Number of inputs that are passed at once."""
        first = self.tensors[0]
        axis = self.axes(first).batch
        if axis is None:
            return max(len(self.list_items), 1) if self._is_list_item(first) else 1
        return 1 if self.is_graph else first.shape[axis]

    def draw(self, index: int) -> np.ndarray:
        """Returns a picture of input number `index`: (H, W, 3) uint8 sRGB, top row first."""
        first = self.tensors[0]
        if self.is_graph:
            return draw_thumbnail(first, Axes(None, 1))
        if self.axes(first).batch is None and self._is_list_item(first):
            return draw_thumbnail(self.list_items[index], self.axes(self.list_items[index]))
        return draw_thumbnail(first, self.axes(first), self.batch_size, index)

    def _is_list_item(self, tensor: torch.Tensor) -> bool:
        return any(tensor is item for item in self.list_items)


def _as_tensors(value: Any) -> Any:
    """An argument with tensors for numpy arrays, in plain lists, tuples and dicts too; anything else as it is."""
    if isinstance(value, np.ndarray):
        try:
            return torch.from_numpy(np.array(value))  # a copy: contiguous, and not read-only
        except (TypeError, ValueError):
            raise InputError(f"an array of {value.dtype} can't be an input; numbers or booleans are needed") from None
    if type(value) in (list, tuple):
        return type(value)(map(_as_tensors, value))
    return {key: _as_tensors(entry) for key, entry in value.items()} if type(value) is dict else value


def _holds_integers(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() and not tensor.is_complex()
