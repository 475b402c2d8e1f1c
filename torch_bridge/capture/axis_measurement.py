"""Measures which axis of every layer is the batch, where operations and shapes alone don't tell.

A copy of the network runs once more, on another number of inputs: the recorded one, repeated. The axes that have
another length then hold the batch. What it measures is kept in memory with the network, by its configuration, the
shapes and dtypes of its inputs and its other arguments, and vanishes with it; there is no file.

The run has values although shapes would do: networks choose their way by values, and what they keep outside themselves,
such as a grid of positions in a global cache, would be left without any.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from types import NoneType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from ..recording.errors import ModelError
from .failures import call_network, model_errors
from .guard import RUN_LOCK, evaluation_mode
from .layer_paths import layer_paths, own_tensors
from .trace.axis_parts import BATCH, NODE, scaled_axes
from .trace.module_tracer import ModuleTracer
from .trace.op_types import shape_of, tensors_in
from .trace.operation_tracer import OperationTracer
from .trace.provenance import TensorMarks, TraceStep
from .trace.run import UNDRAWN, BatchSample, Run, displayed_output
from .values.map_layout import Axes, Part

COUNTS = (5, 7, 11, 13)
"""Numbers of inputs: the first that no axis of the inputs has, so that it isn't met by chance."""
TOLERANCE = 1e-4
"""Least difference of moments that isn't taken for rounding, as a share of the largest value."""
ROUNDING = 8
"""The same for half numbers, as a multiple of their precision."""
SEQUENCE_MODULES = (nn.RNNBase, nn.MultiheadAttention)
LARGE = 1e15
"""Least size of values that moments leave out, as they do NaN and infinity: masks hold such."""
PLAIN = frozenset((bool, int, float, str, NoneType))
MAX_ENTRIES, MAX_DEPTH = 16, 3
"""Longest and deepest lists and dicts that tell one configuration from another."""


class MeasuredLayer(NamedTuple):
    """The output of a layer for several equal inputs."""

    shape: tuple[int, ...]
    axes: Axes
    moments: tuple[float, ...]
    """Those of its values; () where there is but one input, which needs no comparison."""


class Measurement(NamedTuple):
    """What a run on `input_count` inputs in place of `batch_size` has shown; no layers if the network can't run so."""

    layers: Mapping[str, MeasuredLayer]
    """By layer id."""
    batch_size: int
    input_count: int
    documented: bool | None
    """Whether convolutions, recurrent and attention layers got the batch in the axis that they document; None without
    any."""
    is_complete: bool
    """Whether the network ran to its end."""
    differing: dict[str, bool]
    """By layer id: whether its values in a batch were others."""
    known: dict[tuple[str, tuple[int, ...]], Axes | None]
    """What `axes` has found so far."""

    def axes(self, id: str, shape: tuple[int, ...]) -> Axes | None:
        """Returns the axes of a layer's output of `shape` for the recorded inputs; None if that isn't known."""
        if (id, shape) not in self.known:
            self.known[id, shape] = self._axes(id, shape)
        return self.known[id, shape]

    def _axes(self, id: str, shape: tuple[int, ...]) -> Axes | None:
        layer = self.layers.get(id)
        if layer is None or len(layer.shape) != len(shape):
            return None
        scaled = [axis for axis, (now, then) in enumerate(zip(shape, layer.shape, strict=True)) if then != now]
        if any(layer.shape[axis] * self.batch_size != self.input_count * shape[axis] for axis in scaled):
            return None
        axes = layer.axes
        if axes.batch not in scaled:
            axes = axes._replace(batch=scaled[0] if scaled else None)
        axes = scaled_axes(axes, layer.shape, self.batch_size / self.input_count)._replace(certain=True)
        parts = [
            (Part(BATCH, shape[axis]),) if axis in scaled and axis != axes.batch else own
            for axis, own in enumerate(axes.parts)
        ]
        return axes._replace(parts=tuple(parts))

    def differs(self, id: str, values: torch.Tensor) -> bool | None:
        """Whether a layer's values (any shape) for the input in a batch are others than for the input alone.

        Found out once; None if the layer isn't known.
        """
        if id not in self.differing and id in self.layers:
            layer = self.layers[id]
            sizes = math.prod(layer.shape), math.prod(layer.shape) / self.input_count
            close = values.numel() in sizes and _are_close(_moments(values), layer.moments, values.dtype)
            self.differing[id] = not close
        return self.differing.get(id)


_MEASURED: WeakKeyDictionary[nn.Module, dict[Any, Measurement]] = WeakKeyDictionary()
"""Measurements by network; every run holds RUN_LOCK."""


class AxisMeasurement:
    """Measures the axes of a network when they are first needed.

    paths: the path of every module, the network first. arguments: (args, kwargs) of the call. axes: by tensor among
    them, in order; those with a batch axis, which must have one size, are repeated. index: which input is.
    """

    def __init__(
        self, paths: Mapping[nn.Module, str], arguments: Any, axes: Mapping[torch.Tensor, Axes], index: int = 0
    ) -> None:
        self.paths, self.model, self.arguments = paths, next(iter(paths)), arguments
        self.input_axes, self.index = dict(axes), index
        self._found: Measurement | None = None
        self._is_own = False
        """Whether the run was on these very inputs, rather than on earlier ones of their kind."""
        sizes = {size for tensor in axes for size in shape_of(tensor)}
        self.batch_size = next(shape_of(tensor)[own.batch] for tensor, own in axes.items() if own.batch is not None)
        is_graph = any(part.kind == NODE for own in axes.values() for parts in own.parts for part in parts)
        self.kept = self.batch_size if is_graph else 1
        """Number of items before the last of them is repeated: edges of a graph refer to all its nodes."""
        counts = [self.kept - 1 + count for count in COUNTS]
        self.count = next((count for count in counts if count not in sizes), counts[-1])

    def axes(self, id: str, shape: tuple[int, ...]) -> Axes | None:
        """Returns the axes of the output of layer `id` with this shape; None if they can't be measured."""
        return self.run().axes(id, shape)

    def differs(self, id: str, values: torch.Tensor) -> bool | None:
        """Whether a layer's values (any shape) for the input are others without the rest of the batch."""
        found = self.run()
        if not found.differing and not self._is_own:
            self._found = found = self._look_up(renewed=True)
        return found.differs(id, values)

    def run(self) -> Measurement:
        """Returns what the run shows; there is one for each configuration, and for each kind of arguments."""
        if self._found is None:  # every layer in doubt asks
            self._found = self._look_up()
        return self._found

    def _look_up(self, renewed: bool = False) -> Measurement:
        inputs = tuple((shape_of(tensor), tensor.dtype, axes) for tensor, axes in self.input_axes.items())
        key = (_configuration(self.paths), inputs, _plain_value(self.arguments))
        with RUN_LOCK:
            known = _MEASURED.setdefault(self.model, {})
            if renewed or key not in known:
                self._is_own = True
                with ThreadPoolExecutor(1) as pool:  # a thread of its own has none of the modes and hooks of a run
                    known[key] = pool.submit(self._measure).result()
            return known[key]

    def _measure(self) -> Measurement:
        """Repeats all inputs; if that fails, as with a mask whose size is the batch's by chance, only the first."""
        repeated = [tensor for tensor, axes in self.input_axes.items() if axes.batch is not None]
        first_alone = self.input_axes | dict.fromkeys(repeated[1:], Axes())
        ways = [(self.input_axes, self.count)]
        if self.batch_size > 1:  # some networks divide a batch into groups
            ways.append((self.input_axes, 2 * self.batch_size))
        ways += [(first_alone, self.count)] if len(repeated) > 1 else []
        runs: list[Measurement] = []
        while ways and not (runs and runs[-1].is_complete):
            runs.append(self._run(*ways.pop(0)))
        return max(runs, key=lambda run: (run.is_complete, len(run.layers)))

    def _run(self, input_axes: Mapping[torch.Tensor, Axes], count: int) -> Measurement:
        """Runs a copy of the network, as far as it gets: what failed later was right until then."""
        trace = _RepeatedTrace(count, self.batch_size > 1)
        complete = False
        # the network itself is guarded too: its copy may hold functions that run it
        with suppress(ModelError), model_errors({}), evaluation_mode(list(self.paths)), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._trace(trace, input_axes)
            complete = True
        return Measurement(trace.layers, self.batch_size, count, trace.documented, complete, {}, {})

    def _trace(self, trace: _RepeatedTrace, input_axes: Mapping[torch.Tensor, Axes]) -> None:
        with torch.inference_mode(False), torch.no_grad():
            copies = _copied_tensors(self.paths)
            for tensor, axes in input_axes.items():
                copies[id(tensor)] = call_network(self._repeated, tensor, axes.batch, trace.count)
            network, (args, kwargs) = call_network(copy.deepcopy, (self.model, self.arguments), copies)
            paths = layer_paths(network)
            _remove_foreign_hooks(paths.keys() - self.paths.keys())
            run = Run(paths, trace, BatchSample())
            trace.marks = run.marks
            scale = trace.count / self.batch_size
            scaled = {copies[id(tensor)]: scaled_axes(axes, tensor.shape, scale) for tensor, axes in input_axes.items()}
            run.add_inputs(scaled, scaled.__getitem__)
            with ModuleTracer(run, paths).hooks(), OperationTracer(run):
                output = call_network(network, *args, **kwargs)
            outputs = list(tensors_in(output))
            for step, tensors in run.add_outputs(outputs):
                if tensors:
                    trace.layer_finished(step, displayed_output(tensors))

    def _repeated(self, tensor: torch.Tensor, axis: int | None, count: int) -> torch.Tensor:
        """Returns a copy of an input; with `count` items along an axis."""
        if axis is None:
            return tensor.detach().clone()
        items = torch.arange(count, device=tensor.device).clamp(max=self.kept - 1) + self.index
        return tensor.detach().index_select(axis, items)


class _RepeatedTrace:
    """Observes a run on `count` equal inputs: collects the shapes and axes of all layers, and moments of their values.

    compared: whether moments are needed.
    """

    def __init__(self, count: int, compared: bool) -> None:
        self.count, self.compared = count, compared
        self.layers: dict[str, MeasuredLayer] = {}
        self.documented: bool | None = None
        self.marks: TensorMarks | None = None
        self.is_lost = False
        """Whether layers depend on values that have no plain axes, such as nested tensors."""

    def layer_finished(self, step: TraceStep, value: torch.Tensor) -> bool:
        """Takes a layer's output."""
        assert self.marks is not None
        self.is_lost = self.is_lost or any(UNDRAWN in source.notes for source in step.sources)
        if self.is_lost:
            return False
        axes = self.marks.axes(value)
        self.layers[step.id] = MeasuredLayer(tuple(value.shape), axes, _moments(value) if self.compared else ())
        if step.varies and isinstance(step.module, (*SEQUENCE_MODULES, nn.modules.conv._ConvNd)):
            self.documented = self.documented is not False and self._gets_documented_batch(step.module, value, axes)
        return False

    def _gets_documented_batch(self, module: nn.Module, value: torch.Tensor, axes: Axes) -> bool:
        """Whether a layer has got the batch, maybe with other axes folded into it, where it documents it."""
        if isinstance(module, nn.modules.conv._ConvNd):
            return value.dim() == len(module.kernel_size) + 2 and len(value) % self.count == 0
        return value.dim() == 3 and axes.certain

    def before_first_read(self, step: TraceStep, value: torch.Tensor) -> None:
        """Does nothing: no output waits."""

    def attention_finished(self, step: TraceStep) -> None:
        """Does nothing: attention isn't shown."""


def _copied_tensors(modules: Iterable[nn.Module]) -> dict[int, Any]:
    """Returns the copies of a network's tensors, for `deepcopy`: weights, which are only read, stand for themselves."""
    copies: dict[int, Any] = {id(own): own for module in modules for own in module.parameters(recurse=False)}
    for tensor in own_tensors(modules):
        if not is_lazy(tensor):
            copies[id(tensor)] = tensor.detach().clone()
    for value in (value for module in modules for value in vars(module).values()):
        if isinstance(value, torch.Generator):  # which deepcopy refuses
            copies[id(value)] = value.clone_state()
    return copies


def _moments(values: torch.Tensor) -> tuple[float, ...]:
    """Returns numbers that are equal for equal values (any shape and dtype), however often each occurs: () for none."""
    if not values.numel():
        return ()
    plain = (values.abs() if values.is_complex() else values).float()
    plain = torch.where(plain.abs() < LARGE, plain, 0.0)
    return tuple(torch.stack([plain.mean(), plain.square().mean().sqrt(), plain.amax(), plain.amin()]).tolist())


def _are_close(first: tuple[float, ...], second: tuple[float, ...], dtype: torch.dtype) -> bool:
    """Whether moments of values of this dtype are equal but for rounding."""
    tolerance = max(TOLERANCE, ROUNDING * torch.finfo(dtype).eps if dtype.is_floating_point else 0.0)
    return np.allclose(first, second, rtol=0, atol=tolerance * max(map(abs, second), default=0))


def _remove_foreign_hooks(modules: Iterable[nn.Module]) -> None:
    """Removes the hooks of users from a copied network: what they collect is not to be filled by this run."""
    for module in modules:
        for hooks in (module._forward_hooks, module._forward_pre_hooks):
            for key, hook in list(hooks.items()):
                owner = getattr(hook, "__module__", None) or type(hook).__module__
                if not owner.startswith("torch."):
                    del hooks[key]


def _configuration(paths: Mapping[nn.Module, str]) -> tuple[Any, ...]:
    """Returns what the axes of a network may depend on: its modules and their plain attributes.

    Not their mode: whatever is recorded or measured runs in evaluation mode.
    """
    own = ((path, module, vars(module)) for module, path in paths.items())
    return tuple(
        (
            path,
            type(module),
            *((name, _plain_value(values[name])) for name in values if name != "training" and name[:1] != "_"),
        )
        for path, module, values in own
    )


def _plain_value(value: Any, depth: int = 0) -> Any:
    """Returns a value that can be compared with those of other runs: numbers, texts, and short lists and dicts of them.

    Anything else, such as tensors, is its type.
    """
    if type(value) in PLAIN or isinstance(value, Enum):
        return value
    if type(value) in (dict, list, tuple) and len(value) <= MAX_ENTRIES and depth < MAX_DEPTH:
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        return tuple((_plain_value(key, depth + 1), _plain_value(entry, depth + 1)) for key, entry in entries)
    return type(value)
