"""The state of one run, which the module and operation tracers write to.

Tensors may have any shape and dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn

from ..ablation import NO_ABLATION, Ablation, zero_channels
from ..values.map_layout import Axes, choose_layout
from .mutation import Tensors
from .provenance import TensorMarks, TraceStep


class RunObserver(Protocol):
    """Receives the outputs of a run's layers, and decides which of them are copied."""

    def layer_finished(self, step: TraceStep, value: torch.Tensor) -> bool:
        """Receives a layer's output of any shape. Returns True if `before_first_read` shall be called for it later."""

    def before_first_read(self, step: TraceStep, value: torch.Tensor) -> None:
        """Receives a waiting output of any shape just before something but a batch norm reads and may change it."""

    def attention_finished(self, step: TraceStep, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Receives the arguments of an attention layer, module or function, that has finished."""


class BatchSample(NamedTuple):
    """The part of a run that is recorded."""

    batch_size: int = 1
    """Number of inputs that the network is given at once."""
    sample_index: int = 0
    """Index of the input that is recorded."""
    grid: tuple[int, int] | None = None
    """Rows and columns of tokens, if the user states them."""


class Run:
    """One run. Afterwards `steps` holds the graph in order of execution."""

    def __init__(
        self,
        paths: dict[nn.Module, str],
        observer: RunObserver,
        sample: BatchSample,
        ablation: Ablation = NO_ABLATION,
    ) -> None:
        self.observer, self.sample, self.ablation = observer, sample, ablation
        self.marks = TensorMarks(paths)
        self.steps: list[TraceStep] = []
        self.current: TraceStep | None = None
        """The layer that is running; everything that runs inside it belongs to it."""
        self.path = ""
        """Path of the innermost module that is running."""
        self._counts: dict[str, int] = {}
        self._reserved = {"input", "output"} & set(paths.values())

    def next_id(self, path: str) -> str:
        """Returns the id of the next call of a path: `path`, then `path@2`, …"""
        count = self._counts[path] = self._counts.get(path, 0) + 1
        return path if count == 1 else f"{path}@{count}"

    def add_inputs(self, tensors: Iterable[torch.Tensor], axes: Callable[[torch.Tensor], Axes]) -> None:
        """Adds a step for each input tensor (any shape); `axes` says what its axes mean."""
        for tensor in dict.fromkeys(tensors):
            self.add_step(TraceStep(self._end_id("input"), "input", family="input"), [tensor], axes(tensor))

    def add_output(self, outputs: Tensors) -> None:
        """Adds the network's output as the last step, after all waiting outputs have been offered again."""
        self.before_read(outputs)
        for step in self.steps:
            if step.waiting is not None:
                self.before_read([step.waiting])
        step = TraceStep(self._end_id("output"), "output", family="output")
        self.marks.add_sources(step, outputs)
        if outputs:
            self._set_layout(step, outputs)
        self.steps.append(step)

    def _end_id(self, kind: str) -> str:
        """Returns `input` or `output`, or `:input` in a network that has a module of this name."""
        return self.next_id(f":{kind}" if kind in self._reserved else kind)

    def start_step(self, step: TraceStep) -> None:
        """Appends a step to the graph when the first operation in it runs."""
        if not self.steps or self.steps[-1] is not step:
            self.steps.append(step)

    def before_read(self, inputs: Iterable[torch.Tensor], norm: bool = False) -> None:
        """Offers outputs that wait for their first reader; called before anything reads these tensors (any shape).

        norm: whether the reader is a batch norm, which may be folded into the layer.
        """
        for tensor in inputs:
            mark = self.marks.get(tensor)
            if mark is None or mark.pending is None:
                continue
            step = mark.pending
            step.waiting = None
            if not norm:  # after a norm the mark stays pending: if the tensor lives on, another reader may follow
                mark.pending = None
                self.observer.before_first_read(step, tensor)

    def finish_step(self, step: TraceStep, outputs: Tensors) -> None:
        """Chooses the layout of a layer's output, ablates its channels, and offers it to the observer."""
        value = self._set_layout(step, outputs)
        step.finalise()
        if step.id in self.ablation.channels and step.layout is not None:
            zero_channels(value, step.layout, self.ablation.channels[step.id])
        if step.layout is not None and self.observer.layer_finished(step, value):
            mark = self.marks.get(value)
            if mark is not None:
                mark.pending, step.waiting = step, value

    def _set_layout(self, step: TraceStep, outputs: Tensors) -> torch.Tensor:
        """Chooses which output is shown, and how."""
        value = outputs[0] if len(outputs) == 1 else displayed_output(outputs)
        if len(outputs) > 1:
            step.notes[f"1 of {len(outputs)} outputs"] = None
        if not _drawable(value):
            step.notes["values that can't be drawn"] = None
            return value
        axes = self.marks.axes(value)
        step.grid = axes.grid
        step.layout = choose_layout(tuple(value.shape), axes, *self.sample)
        if step.layout.note:
            step.notes[step.layout.note] = None
        return value

    def add_step(self, step: TraceStep, outputs: Tensors, axes: Axes) -> None:
        """Adds a layer that is no module call, with its outputs."""
        for tensor in outputs:
            self.marks.set(tensor, (step,), axes)
        self.start_step(step)
        self.finish_step(step, outputs)


def _drawable(tensor: torch.Tensor) -> bool:
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(tensor)  # inside vmap: one of many, and not to be read
    return tensor.layout is torch.strided and not (tensor.is_quantized or tensor.is_nested or wrapped)


def displayed_output(outputs: Tensors) -> torch.Tensor:
    """Returns the first output of any shape that can be drawn and holds real numbers, rather than counts or indices."""
    drawable = [tensor for tensor in outputs if _drawable(tensor)]
    return next((tensor for tensor in drawable if tensor.is_floating_point()), [*drawable, *outputs][0])
