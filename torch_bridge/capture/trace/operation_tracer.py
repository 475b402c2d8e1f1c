"""Traces every torch operation of a run: what it read, what it made, what it changed."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..failures import call_network
from ..values.map_layout import Axes
from .axes import gathered_axes, infer_axes
from .axis_parts import is_gathered
from .mutation import Tensors, changed_tensors, new_tensors, read_versions
from .op_types import (
    EXTERNAL_SOURCES,
    FAMILIES,
    MOVES,
    PAIRWISE,
    QUERIES,
    canonical_name,
    read_arguments,
    shape_of,
    tensor_arguments,
    tensors_in,
)
from .provenance import AttentionCall, TraceStep
from .run import Run

PLAIN = (int, float, list, tuple, torch.Tensor)
"""Types from which `torch.tensor(...)` makes a constant, rather than a value from outside torch."""


class OperationTracer(TorchFunctionMode):
    """Adds every operation of this thread to the run's graph while it is entered, but not what runs inside one."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run, self.marks = run, run.marks

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in QUERIES:
            return call_network(func, *args, **kwargs)
        if name == "__get__":
            return self._read_attribute(func, args)
        if name == "__set__":
            return self._write_attribute(func, args)
        operation = canonical_name(name)
        inputs = read_arguments(operation, args, kwargs)
        step = self.run.current
        self.run.before_read(inputs, norm=name == "batch_norm" or (step is not None and step.family == "norm"))
        before = read_versions(inputs)
        output = call_network(func, *args, **kwargs)
        outputs = [output] if isinstance(output, torch.Tensor) else list(tensors_in(output))
        in_place = "out" in kwargs or name == "__setitem__" or _returns_input(output, inputs, name)
        written = changed_tensors(inputs, before, in_place)
        if operation in PAIRWISE and len(outputs) == len(inputs):
            for tensor, source in zip(outputs, inputs, strict=True):
                self._after(operation, (source,), {}, [source], new_tensors([tensor], [source]), [])
        else:
            self._after(operation, args, kwargs, inputs, new_tensors(outputs, inputs), written)
        return output

    def _read_attribute(self, func: Any, args: Any) -> Any:
        """Handles x.shape, but also x.T and x.data, which are views."""
        name, output = func.__self__.__name__, call_network(func, *args)
        if isinstance(output, torch.Tensor) and name in MOVES:
            self.run.before_read(args)
            self._after(name, args, {}, [args[0]], new_tensors([output], [args[0]]), [])
        return output

    def _write_attribute(self, func: Any, args: Any) -> Any:
        """Handles x.data = y."""
        is_data = func.__self__.__name__ == "data"
        if is_data:
            self.run.before_read(args)
        output = call_network(func, *args)
        if is_data:
            self.marks.set(args[0], self.marks.origins([args[1]]), self.marks.axes(args[1]))
        return output

    def _after(self, name: str, args: Any, kwargs: Any, inputs: Tensors, new: Tensors, written: Tensors) -> None:
        """Marks the tensors that an operation has made or changed."""
        outputs = [tensor for tensor in (*new, *written) if not self.marks.is_constant(tensor)]
        if not outputs or (name in EXTERNAL_SOURCES and not (args and isinstance(args[0], PLAIN))):
            return
        origins = self._origins(name, args, kwargs, inputs)
        axes = self._axes(name, args, kwargs, inputs, outputs)
        if self.run.current is None and origins and name not in MOVES and outputs[0].is_floating_point():
            origins = (self._add_layer(name, args, kwargs, inputs, outputs, axes[0]),)
        elif origins or not any(map(self.marks.is_unknown, inputs)):
            for tensor, tensor_axes in zip(outputs, axes, strict=True):
                self.marks.set(tensor, origins, tensor_axes)
        for tensor in written:
            self.marks.mark_written(tensor, origins)

    def _axes(self, name: str, args: Any, kwargs: Any, inputs: Tensors, outputs: Tensors) -> list[Axes]:
        lead = self.marks.leading_tensor(inputs or tensor_arguments(args, kwargs))
        if lead is None:
            return [Axes()] * len(outputs)
        axes, before = self.marks.axes(lead), shape_of(lead)
        if name == "matmul" and any(self.marks.axes(t).batch == t.dim() - 1 for t in inputs):
            axes = axes._replace(certain=False)  # inputs compared with each other: both axes hold the batch
        if self._picks_rows(name, args, lead, axes):
            return [gathered_axes(axes, shape_of(t)) for t in outputs]
        return [axes if t is lead else infer_axes(name, args, kwargs, axes, before, shape_of(t)) for t in outputs]

    def _picks_rows(self, name: str, args: Any, lead: torch.Tensor, axes: Axes) -> bool:
        """Whether x[rows] picks items of a batch axis, which comes first, by indices or a mask that are computed."""
        if name != "__getitem__" or not isinstance(args[1], torch.Tensor) or args[0] is not lead or self.run.nodes:
            return False
        return (axes.batch == 0 or is_gathered(axes)) and args[1].dim() == 1 and bool(self.marks.origins([args[1]]))

    def _origins(self, name: str, args: Any, kwargs: Any, inputs: Tensors) -> tuple[TraceStep, ...]:
        """Returns the origins of an operation's result: the running layer, or else the layers that it reads."""
        step = self.run.current
        if step is None:
            return self.marks.origins(inputs)
        self.run.start_step(step)
        if name not in MOVES:
            step.operations.append(name)
        if FAMILIES.get(name) == "attention":
            step.attention = AttentionCall(name, args, kwargs)
        self.marks.add_sources(step, inputs)
        return (step,)

    def _add_layer(self, name: str, args: Any, kwargs: Any, inputs: Tensors, outputs: Tensors, axes: Axes) -> TraceStep:
        """Adds an operation between modules that computes new values as a layer of its own."""
        step = TraceStep(self.run.next_id(f"{self.run.path}:{name}"), name, family=FAMILIES.get(name, "other"))
        self.marks.add_sources(step, inputs)
        step.parameters = sum(tensor.numel() for tensor in inputs if isinstance(tensor, nn.Parameter))
        lead = self.marks.leading_tensor(inputs)
        step.grid = None if lead is None else self.marks.axes(lead).grid
        if step.family == "attention":
            step.attention = AttentionCall(name, args, kwargs)
        self.run.add_step(step, outputs, axes)
        return step


def _returns_input(output: Any, inputs: Tensors, name: str) -> bool:
    """Whether an operation returns its input, as x.add_(y) and F.relu(x, inplace=True) do, but not x.to(...)."""
    return bool(inputs) and output is inputs[0] and name not in MOVES
