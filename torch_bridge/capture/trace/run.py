"""The state of one run, which the module and operation tracers write to.

Tensors may have any shape and dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

import torch
from torch import nn

from ...recording.errors import InputError
from ..ablation import NO_ABLATION, Ablation
from ..values.map_layout import Axes, BatchFold, MapLayout, choose_layout, input_values
from .axis_parts import NODE, fold_of, is_gathered, is_packed
from .mutation import Tensors
from .provenance import NORMALISED_AXES, TensorMarks, TraceStep


class RunObserver(Protocol):
    """Receives the outputs of a run's layers, and decides which of them are copied."""

    def layer_finished(self, step: TraceStep, value: torch.Tensor) -> bool:
        """Receives a layer's output of any shape. Returns True if `before_first_read` shall be called for it later."""

    def before_first_read(self, step: TraceStep, value: torch.Tensor) -> None:
        """Receives a waiting output of any shape just before something but a batch norm reads and may change it."""

    def attention_finished(self, step: TraceStep) -> None:
        """Receives a layer that has finished and has attention in it: the call is `step.attention`."""


class BatchSample(NamedTuple):
    """The part of a run that is recorded."""

    batch_size: int = 1
    """Number of inputs that the network is given at once."""
    sample_index: int = 0
    """Index of the input that is recorded."""
    grid: tuple[int, int] | None = None
    """Rows and columns of tokens, if the user states them."""
    positions: Mapping[str, int] = {}
    """Positions of the input that are shown, by layer id; 0 for all other layers."""


class AxisSource(Protocol):
    """What another run on the input that is recorded, without the others of its batch, has shown."""

    def axes(self, id: str, shape: tuple[int, ...]) -> Axes | None:
        """Returns the axes of a layer's output of this shape; None if they aren't known."""

    def differs(self, id: str, values: torch.Tensor) -> bool | None:
        """Whether a layer's values (any shape) for the input are others without the rest of the batch; None if that
        isn't known."""


MAX_OUTPUTS = 16
"""Largest number of outputs that have a step of their own."""
UNDRAWN = "values that can't be drawn"
"""Note of layers whose output is sparse, nested, quantised or inside a vmap."""
ASSUMED = "batch axis assumed"
"""Note of layers whose batch axis neither follows from the operations nor can be measured."""
ORDER_ASSUMED = "order of the inputs assumed"
"""Note of layers where it isn't known how the inputs lie in the batch axis: those of each are taken side by side."""
PACKED_STEPS = "packed: the steps of all inputs"
"""Note of layers that work on a PackedSequence."""
SORTED = "inputs sorted by length"
"""Note of the operation that pads a PackedSequence, until the network sorts them back."""
MIXED = "of all inputs together"
"""Note of layers that the inputs of a batch share."""
DIFFERS = "not what this input gives alone"
"""Note of layers whose values depend on other inputs of the batch, are those of another one, or random."""


class Run:
    """One run. Afterwards `steps` holds the graph in order of execution."""

    def __init__(
        self,
        paths: dict[nn.Module, str],
        observer: RunObserver,
        sample: BatchSample,
        ablation: Ablation = NO_ABLATION,
        measure: AxisSource | None = None,
        is_compared: bool = False,
    ) -> None:
        """is_compared: whether layers of a batch are compared with what their input gives alone."""
        self.observer, self.sample, self.ablation, self.measure = observer, sample, ablation, measure
        self.is_compared = is_compared and sample.batch_size > 1 and not ablation.layers
        self.marks = TensorMarks(paths)
        self.steps: list[TraceStep] = []
        self.current: TraceStep | None = None
        """The layer that is running; everything that runs inside it belongs to it."""
        self.path = ""
        """Path of the innermost module that is running."""
        self.in_doubt = False
        """Whether axes have been met that don't follow from the operations."""
        self.nodes = 0
        """Number of nodes if the input is a graph; what they share belongs to the one input."""
        self._listed: dict[TraceStep, frozenset[int]] = {}
        """Which inputs of a list each layer depends on."""
        self._counts: dict[str, int] = {}
        self._taken = set(paths.values())
        """Ids that calls of other modules have or may get."""

    def next_id(self, path: str) -> str:
        """Returns the id of the next call of a path: `path`, then `path@2`, …; an id that a module has is left out."""
        count = self._counts[path] = self._counts.get(path, 0) + 1
        id = path if count == 1 else f"{path}@{count}"
        return self.next_id(path) if count > 1 and id in self._taken else id

    def add_inputs(self, tensors: Iterable[torch.Tensor], axes: Callable[[torch.Tensor], Axes]) -> None:
        """Adds a step for each input tensor (any shape); `axes` says what its axes mean."""
        for tensor in dict.fromkeys(tensors):
            self.nodes = next(
                (part.size for own in axes(tensor).parts for part in own if part.kind == NODE), self.nodes
            )
            step = TraceStep(self.next_own_id("input"), "input", family="input")
            self._listed[step] = frozenset({len(self._listed)})
            self.add_step(step, [tensor], axes(tensor))

    def add_outputs(self, outputs: Tensors) -> list[tuple[TraceStep, Tensors]]:
        """Adds a last step for each tensor (any shape) of the network's output, and returns them.

        All waiting outputs have been offered again before. Without tensors there is one step; of more than MAX_OUTPUTS
        the last step has all further ones.
        """
        self.before_read(outputs)
        for step in self.steps:
            if step.waiting is not None:
                self.before_read([step.waiting])
        first, further = outputs[: MAX_OUTPUTS - 1], outputs[MAX_OUTPUTS - 1 :]
        found = []
        for tensors in [*([tensor] for tensor in first), *([further] if further or not first else [])]:
            step = TraceStep(self.next_own_id("output"), "output", family="output")
            self.marks.add_sources(step, tensors)
            if tensors:
                self._set_layout(step, tensors)
            self.steps.append(step)
            found.append((step, tensors))
        return found

    def next_own_id(self, name: str) -> str:
        """Returns the id of the next input, output or call of the whole network: `input`, or `:input` in a network that
        has a module of this name."""
        return self.next_id(f":{name}" if name in self._taken else name)

    def start_step(self, step: TraceStep) -> None:
        """Appends a step to the graph when the first operation in it runs."""
        if not self.steps or self.steps[-1] is not step:
            self.steps.append(step)

    def before_read(self, inputs: Iterable[torch.Tensor], norm: bool = False) -> None:
        """Offers outputs that wait for their first reader; called before anything reads these tensors (any shape).

        norm: whether the reader is a batch norm, which may be folded into the layer if it scales the layer's channels.
        """
        for tensor in inputs:
            mark = self.marks.get(tensor)
            if mark is None or mark.pending is None:
                continue
            step = mark.pending
            step.waiting = None
            if not norm or mark.axes.channel not in NORMALISED_AXES:
                mark.pending = None  # after a norm it stays: if the tensor lives on, another reader may follow
                self.observer.before_first_read(step, tensor)

    def finish_step(self, step: TraceStep, outputs: Tensors) -> None:
        """Chooses the layout of a layer's output, ablates its channels, and offers it to the observer."""
        value = self._set_layout(step, outputs)
        step.finalise()
        if step.id in self.ablation.layers and step.layout is not None:
            self.ablation.apply(step.id, value, step.layout)
        if step.layout is not None and self.observer.layer_finished(step, value):
            mark = self.marks.get(value)
            if mark is not None:
                mark.pending, step.waiting = step, value
        if step.attention is not None:
            self.observer.attention_finished(step)
            step.attention = None

    def _set_layout(self, step: TraceStep, outputs: Tensors) -> torch.Tensor:
        """Chooses which output is shown, and how."""
        value = outputs[0] if len(outputs) == 1 else displayed_output(outputs)
        if len(outputs) > 1:
            step.notes[f"1 of {len(outputs)} outputs"] = None
        if not _drawable(value):
            step.notes[UNDRAWN] = None
            return value
        axes, shape, sample = self._known_axes(step, value), tuple(value.shape), self.sample
        step.grid, step.channel_axis = axes.grid or step.grid, axes.channel
        count, index = (1, 0) if _is_single(step, axes, shape) else (sample.batch_size, sample.sample_index)
        fold, position = fold_of(axes, shape, count), self._position(step)
        if fold is None and axes.batch is not None and shape[axes.batch] == self.nodes:
            fold = BatchFold(1, self.nodes, NODE)
        step.layout = choose_layout(shape, axes, count, index, sample.grid, fold, position)
        self._compare(step, value, is_ordered=fold is not None)
        if position >= step.layout.positions:
            raise InputError(_no_position(step.id, position, step.layout))
        if step.layout.note:
            step.notes[step.layout.note] = None
        return value

    def _compare(self, step: TraceStep, value: torch.Tensor, is_ordered: bool) -> None:
        """Notes whether a layer of a batch shows what the network gives for the input alone.

        is_ordered: whether it is known how the inputs lie in the batch axis.
        """
        layout, sample = step.layout, self.sample
        varies = step.varies or any(source.varies for source in step.sources)
        if layout is None or not varies or any(note in step.notes for note in (ASSUMED, MIXED, PACKED_STEPS, SORTED)):
            return
        differs = None
        if self.measure is not None and self.is_compared:
            differs = self.measure.differs(step.id, input_values(value, layout, sample.batch_size, sample.sample_index))
        if differs:
            step.notes[DIFFERS] = None
        elif differs is None and not is_ordered and layout.batch_axis is not None:
            if value.shape[layout.batch_axis] > sample.batch_size > 1:
                step.notes[ORDER_ASSUMED] = None

    def _position(self, step: TraceStep) -> int:
        """Returns the position that a layer shows; a norm shows that of its source, with which it may share a panel."""
        chosen = self.sample.positions
        ids = [step.id, *([source.id for source in step.sources] if step.family == "norm" else [])]
        return next((chosen[id] for id in ids if id in chosen), 0)

    def _known_axes(self, step: TraceStep, value: torch.Tensor) -> Axes:
        """Returns the axes of a layer's output, measured from the first layer on where they don't follow by themselves.

        What follows from assumed axes may look certain, therefore all later layers are measured too.
        """
        axes, shape = self.marks.axes(value), tuple(value.shape)
        if is_packed(axes) or is_gathered(axes):
            step.notes[PACKED_STEPS if is_packed(axes) else MIXED] = None
            return axes
        if _is_single(step, axes, shape):
            return axes
        if step.kind == "_pad_packed_sequence":
            step.notes[SORTED] = None
        if self.measure is None:
            self._note_list(step, axes, shape)
            return axes
        in_doubt = not axes.certain or axes.batch is None or shape[axes.batch] != self.sample.batch_size
        self.in_doubt = self.in_doubt or in_doubt
        varies = any(source.varies for source in step.sources)
        measured = self.measure.axes(step.id, shape) if self.in_doubt else None
        if measured is not None:
            mark = self.marks.get(value)
            if mark is not None:
                mark.axes = measured
        elif in_doubt and varies:
            step.notes[ASSUMED] = None
        return measured or axes

    def _note_list(self, step: TraceStep, axes: Axes, shape: tuple[int, ...]) -> None:
        """Notes which layers of a network that takes a list are not known to show the input that is recorded."""
        if self.sample.batch_size == 1:
            return
        inherited = (self._listed.get(source, frozenset()) for source in step.sources)
        read = self._listed.setdefault(step, frozenset[int]().union(*inherited))
        if axes.batch is None and len(read) == 1 and self.sample.sample_index not in read:
            step.notes[f"of input {min(read)}"] = None
        elif axes.batch is None and len(read) != 1:  # anchors for all pictures depend on none of them
            step.notes[MIXED] = None
        elif axes.batch is not None and len(read) > 1 and shape[axes.batch] != self.sample.batch_size:
            step.notes[ASSUMED] = None

    def add_step(self, step: TraceStep, outputs: Tensors, axes: Axes) -> None:
        """Adds a layer that is no module call, with its outputs."""
        for tensor in outputs:
            self.marks.set(tensor, (step,), axes)
        self.start_step(step)
        self.finish_step(step, outputs)


def _is_single(step: TraceStep, axes: Axes, shape: tuple[int, ...]) -> bool:
    """Whether a layer doesn't depend on the inputs and has one item for all of them, as embeddings of positions do."""
    constant = step.family != "input" and not any(source.varies for source in step.sources)
    return constant and axes.batch is not None and shape[axes.batch] == 1


def _no_position(id: str, position: int, layout: MapLayout) -> str:
    """Says which positions a layer has."""
    if layout.positions == 1:
        return f"no position {position} of layer {id!r}: it has one value for each input"
    return f"no {layout.fold.word} {position} of layer {id!r}: it has {layout.positions}, counted from 0"


def _drawable(tensor: torch.Tensor) -> bool:
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(tensor)  # inside vmap: one of many, and not to be read
    return tensor.layout is torch.strided and not (tensor.is_quantized or tensor.is_nested or wrapped)


def displayed_output(outputs: Tensors) -> torch.Tensor:
    """Returns the first output of any shape that can be drawn and holds real numbers, rather than counts or indices."""
    drawable = [tensor for tensor in outputs if _drawable(tensor)]
    return next((tensor for tensor in drawable if tensor.is_floating_point()), [*drawable, *outputs][0])
