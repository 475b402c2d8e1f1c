"""The state of one run that operations and modules are watched into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn

from ..ablation import NO_ABLATION, Ablation, zero_channels
from ..values.map_layout import Axes, choose_layout
from .mutation import Tensors
from .provenance import TensorMarks, TraceStep


class RunObserver(Protocol):
    """Who decides what is copied, and copies it."""

    def finished(self, step: TraceStep, value: torch.Tensor) -> bool:
        """A layer has its output. True: call `touched` before anything but a batch norm uses it."""

    def touched(self, step: TraceStep, value: torch.Tensor) -> None:
        """Something is about to use, perhaps to change, the output that `finished` asked to wait for."""

    def attended(self, step: TraceStep, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """An attention layer, module or function, has finished with these arguments."""


class BatchSample(NamedTuple):
    """What of a run is looked at."""

    batch: int = 1
    """How many inputs the network is given at once."""
    item: int = 0
    """Which of them is recorded, counted from 0."""
    grid: tuple[int, int] | None = None
    """Rows and columns of tokens, where a person says them."""


class Run:
    """One run. Afterwards `steps` holds the graph in order of execution."""

    def __init__(
        self, paths: dict[nn.Module, str], keeper: RunObserver, sample: BatchSample, ablation: Ablation = NO_ABLATION
    ) -> None:  # fmt: skip
        self.keeper, self.sample, self.ablation = keeper, sample, ablation
        self.marks = TensorMarks(paths)
        self.steps: list[TraceStep] = []
        self.current: TraceStep | None = None
        """The layer that is running; what runs inside it belongs to it."""
        self.path = ""
        """Of the innermost module that is running."""
        self._counts: dict[str, int] = {}
        self._reserved = {"input", "output"} & set(paths.values())

    def number(self, path: str) -> str:
        """The id of the next call of a path."""
        count = self._counts[path] = self._counts.get(path, 0) + 1
        return path if count == 1 else f"{path}@{count}"

    def end_id(self, kind: str) -> str:
        """The id of an input or output: `input`, or `:input` in a network that has a module of this name."""
        return self.number(f":{kind}" if kind in self._reserved else kind)

    def begin(self, step: TraceStep) -> None:
        """A layer has run something: it takes its place in the order."""
        if not self.steps or self.steps[-1] is not step:
            self.steps.append(step)

    def touch(self, inputs: Iterable[torch.Tensor], norm: bool = False) -> None:
        """Before anything reads these tensors: the outputs that waited for their reader have one now.

        norm: a batch norm reads them, which may be folded into their layer.
        """
        for tensor in inputs:
            mark = self.marks.get(tensor)
            if mark is None or mark.lazy is None:
                continue
            step = mark.lazy
            step.waiting = None
            if not norm:  # after a norm the mark stays lazy: if the tensor lives on, somebody else may still read it
                mark.lazy = None
                self.keeper.touched(step, tensor)

    def finish(self, step: TraceStep, outputs: Tensors) -> None:
        """A layer has its output: measure it, ablate its channels, and offer it to the keeper."""
        value = self.measure(step, outputs)
        step.settle()
        if step.id in self.ablation.channels and step.spread is not None:
            zero_channels(value, step.spread, self.ablation.channels[step.id])
        if step.spread is not None and self.keeper.finished(step, value):
            mark = self.marks.get(value)
            if mark is not None:
                mark.lazy, step.waiting = step, value

    def measure(self, step: TraceStep, outputs: Tensors) -> torch.Tensor:
        """Choose the output that is shown, and how."""
        value = outputs[0] if len(outputs) == 1 else displayed_output(outputs)
        if len(outputs) > 1:
            step.notes[f"1 of {len(outputs)} outputs"] = None
        if not _drawable(value):
            step.notes["values that can't be drawn"] = None
            return value
        axes = self.marks.axes(value)
        step.grid = axes.grid
        step.spread = choose_layout(tuple(value.shape), axes, *self.sample)
        if step.spread.note:
            step.notes[step.spread.note] = None
        return value

    def made(self, step: TraceStep, outputs: Tensors, axes: Axes) -> None:
        """A layer that is no module has its values."""
        for tensor in outputs:
            self.marks.set(tensor, (step,), axes)
        self.begin(step)
        self.finish(step, outputs)

    def end(self, outputs: Tensors) -> None:
        """The network has answered."""
        self.touch(outputs)
        for step in self.steps:
            if step.waiting is not None:
                self.touch([step.waiting])
        step = TraceStep(self.end_id("output"), "output", family="output")
        self.marks.read(step, outputs)
        if outputs:
            self.measure(step, outputs)
        self.steps.append(step)


def _drawable(tensor: torch.Tensor) -> bool:
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(tensor)  # inside vmap: one of many, and not to be read
    return tensor.layout is torch.strided and not (tensor.is_quantized or tensor.is_nested or wrapped)


def displayed_output(outputs: Tensors) -> torch.Tensor:
    """The first that can be drawn and holds real numbers, not counts or places."""
    drawable = [tensor for tensor in outputs if _drawable(tensor)]
    return next((tensor for tensor in drawable if tensor.is_floating_point()), [*drawable, *outputs][0])
