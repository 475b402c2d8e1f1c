"""Runs a network as far as some of its layers, with gradients, and with changes to layers on the way.

The first run is traced as by the recorder, to learn how each layer's tensor becomes maps. Later runs use plain hooks,
which cost nothing, if all layers are modules; if some are operations between modules, every run is traced.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from ..capture.ablation import channel_values, current_ablation
from ..capture.failures import call_network, model_errors
from ..capture.forward import traced
from ..capture.guard import RUN_LOCK, evaluation_mode, force_eager
from ..capture.layer_paths import layer_paths
from ..capture.model_inputs import ModelInputs
from ..capture.trace.op_types import tensors_in
from ..capture.trace.provenance import TraceStep, remove_marks
from ..capture.trace.run import BatchSample, Run, displayed_output
from ..capture.values.map_layout import MapLayout, select_inputs
from ..predictions.outputs import main_tensor
from ..recording.errors import ModelError
from .backward import gradients
from .final_activation import FinalActivationMode, FinalScores

Change = Callable[[torch.Tensor], None]
"""Changes a layer's maps (N, C, H, W) in place."""


class ChannelFill(NamedTuple):
    """A change that sets one channel of each input to a value everywhere, in windows and special tokens too."""

    channels: Sequence[int]
    """Channel by input; -1 for an input that is not changed."""
    values: Sequence[float]
    """Value by input."""

    def apply(self, value: torch.Tensor, layout: MapLayout, batch_size: int) -> None:
        """Sets the channels in the tensor (any shape and dtype) of a layer that was given `batch_size` inputs."""
        axis = layout.batch_axis
        for k, (channel, fill) in enumerate(zip(self.channels, self.values, strict=True)):
            if channel < 0:
                continue
            groups = [] if axis is None else value.tensor_split(layout.fold.outer, axis)
            owned = [group.tensor_split(batch_size, axis)[k] for group in groups] or [value]
            for own in owned:
                channel_values(own, layout, channel).fill_(fill)


class PartialResult(NamedTuple):
    """The results of one run; all dictionaries are by layer id."""

    maps: dict[str, torch.Tensor]
    """(N, C, H, W) maps with their autograd history, as they were before any later in-place change."""
    output: torch.Tensor | None
    """Main tensor of the network's output, of any shape, before a final softmax or sigmoid; None if the run stopped
    before."""
    edges: dict[str, GradientEdge]
    """Where gradients reach the layer's tensor, unaffected by later in-place changes."""
    layouts: Mapping[str, MapLayout]
    tensors: dict[str, torch.Tensor]
    """The layers' whole tensors (any shape), from which the maps are taken, with windows and special tokens."""
    independent: bool
    """Whether a sigmoid turns each number of `output` into a probability of its own."""
    place: int = 0
    """Place of `output` among all tensors that the network returns."""

    def gradients(self, score: torch.Tensor, *, keep_graph: bool = False) -> dict[str, torch.Tensor]:
        """Returns the gradients (N, C, H, W) of a scalar with respect to the maps; 0 if it doesn't depend on them.

        keep_graph: whether further backward passes follow. Raises ModelError.
        """
        of = f"the answer to layer {next(iter(self.edges), '')}"
        found = gradients([score], list(self.edges.values()), of=of, keep_graph=keep_graph)
        values = {
            id: torch.zeros_like(self.tensors[id]) if gradient is None else gradient
            for id, gradient in zip(self.edges, found, strict=True)
        }
        return {id: batched_maps(value, self.layouts[id], len(self.maps[id])) for id, value in values.items()}


class PartialForward:
    """Runs a network as far as the given layers. The constructor runs it once; the object may be called many times.

    The ablation that is current at construction applies to all its runs. Raises ModelError if the network fails, or if
    a layer isn't reached or can't be drawn, and InputError for a position that a layer doesn't have.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[str],
        arguments: tuple[Any, ...],
        positions: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Runs the network. positions: which position of each input the maps of a layer are of; 0 by default."""
        self.model, self.layers, self.ablation = model, tuple(layers), current_ablation()
        self.positions = positions
        self.hooked_layers = {*self.layers, *self.ablation.layers}
        self.layouts: dict[str, MapLayout] = {}
        """By layer id, from the runs so far."""
        self.paths = layer_paths(model)
        self.modules = {path: module for module, path in self.paths.items()}
        with torch.no_grad():
            self._run(arguments, {}, to_output=False, traced=True)

    def __call__(
        self,
        arguments: tuple[Any, ...],
        changes: Mapping[str, Change | ChannelFill] | None = None,
        to_output: bool = False,
    ) -> PartialResult:
        """Runs on N inputs at once, as far as the last of the layers, or to the network's output if `to_output`.

        changes: by layer id, only for layers given to the constructor. Gradients are recorded if the caller has them
        enabled.
        """
        return self._run(arguments, changes or {}, to_output, any(not self._can_hook(id) for id in self.hooked_layers))

    def _can_hook(self, id: str) -> bool:
        module = self.modules.get(id.partition("@")[0])
        return module is not None and not isinstance(module, torch.jit.ScriptModule)

    def _run(
        self, arguments: tuple[Any, ...], changes: Mapping[str, Change | ChannelFill], to_output: bool, traced: bool
    ) -> PartialResult:
        run = _PartialRun(self, arguments, changes, to_output)
        watching = run.tracing() if traced else run.hooks()
        gradients, final = torch.is_grad_enabled(), None  # leaving inference mode would enable gradients
        with RUN_LOCK, evaluation_mode(list(self.paths)), force_eager(self.paths), model_errors(self.paths):
            with torch.inference_mode(False), torch.set_grad_enabled(gradients), suppress(_LastLayerReached), watching:
                final = run.to_end()
        missing = [id for id in self.layers if id not in run.maps]
        if missing:
            raise ModelError(f"layer {missing[0]!r} wasn't reached, or has values that can't be drawn as maps")
        output, independent = final or (None, False)
        return PartialResult(run.maps, output, run.edges, self.layouts, run.tensors, independent, run.place)


class _LastLayerReached(BaseException):
    """Stops the run after the last layer; not an Exception, so that no network catches it."""


class _PartialRun:
    """One run of a PartialForward; observes the trace if there is one."""

    def __init__(
        self,
        plan: PartialForward,
        arguments: tuple[Any, ...],
        changes: Mapping[str, Change | ChannelFill],
        to_output: bool,
    ) -> None:
        self.plan, self.arguments, self.changes, self.to_output = plan, arguments, changes, to_output
        self.inputs = ModelInputs.from_inputs(plan.paths, arguments)
        self.batch_size = self.inputs.batch_size
        self.maps: dict[str, torch.Tensor] = {}
        self.edges: dict[str, GradientEdge] = {}
        self.tensors: dict[str, torch.Tensor] = {}
        self.place = 0
        """Place of the main tensor among all that the network has returned."""

    @contextmanager
    def tracing(self) -> Iterator[None]:
        """Traces the run as the recorder does: this sees operations too, and learns how tensors become maps."""
        measurement = self.inputs.measurement(self.plan.paths)
        sample = BatchSample(self.batch_size, positions=self.plan.positions)
        run = Run(self.plan.paths, self, sample, self.plan.ablation, measurement)
        run.add_inputs(self.inputs.tensors, self.inputs.axes)
        try:
            with traced(run, self.plan.paths):
                yield
        finally:
            remove_marks(self.inputs.tensors)

    def to_end(self) -> FinalScores | None:
        """Runs the network to its end, or until the last layer raises; None if its output is no tensor."""
        with FinalActivationMode() if self.to_output else nullcontext() as mode:
            returned = call_network(self.plan.model, *self.inputs.args, **self.inputs.kwargs)
            output = main_tensor(returned)
            self.place = next((k for k, own in enumerate(tensors_in(returned)) if own is output), 0)
            return None if output is None else mode.scores_of(output) if mode else FinalScores(output, False)

    def layer_finished(self, step: TraceStep, value: torch.Tensor) -> bool:
        """Takes the output of a traced layer (any shape), which is ablated already."""
        if step.id in self.plan.ablation.layers and step.layout is not None:
            self.plan.layouts[step.id] = step.layout
        if step.id in self.plan.layers and step.layout is not None and not step.layout.is_empty:
            self.plan.layouts[step.id] = step.layout
            if step.id in self.changes:
                with torch.no_grad():
                    self._change(step.id, value.detach())
            self._store(step.id, value, value.clone() if self._continues_after(step.id) else value)
        return False

    def before_first_read(self, step: TraceStep, value: torch.Tensor) -> None:
        """Does nothing: no output waits."""

    def attention_finished(self, step: TraceStep) -> None:
        """Does nothing: attention maps aren't needed."""

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """Installs a hook on each module that is a wanted or ablated layer."""
        handles, paths = [], dict.fromkeys(id.partition("@")[0] for id in self.plan.hooked_layers)
        try:
            for path in paths:
                handles.append(self.plan.modules[path].register_forward_hook(_LayerHook(self, path)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def module_finished(self, id: str, output: Any) -> Any:
        """Takes the output of the module that is the layer `id`; returns the output that replaces it."""
        value = output if isinstance(output, torch.Tensor) else displayed_output(list(tensors_in(output)))
        if id in self.plan.ablation.layers:
            if value is output:
                value = output = value.clone()
            self.plan.ablation.apply(id, value, self.plan.layouts[id])
        if id not in self.plan.layers:
            return output
        if id in self.changes and value is output:
            value = output = value.clone()
            self._change(id, value)
        elif id in self.changes:
            with torch.no_grad():
                self._change(id, value.detach())
        continues = self._continues_after(id)
        self._store(id, value, value)
        return output.clone() if continues and value is output else output

    def _continues_after(self, id: str) -> bool:
        return self.to_output or len({*self.maps, id}) < len(self.plan.layers)

    def _store(self, id: str, value: torch.Tensor, copy: torch.Tensor) -> None:
        """Stores a layer's tensor. copy: the same values, safe from in-place changes."""
        if value.requires_grad:
            self.edges[id] = get_gradient_edge(value)
        self.tensors[id] = copy
        self.maps[id] = batched_maps(copy, self.plan.layouts[id], self.batch_size)
        if not self.to_output and len(self.maps) == len(self.plan.layers):
            raise _LastLayerReached

    def _change(self, id: str, value: torch.Tensor) -> None:
        change = self.changes[id]
        if isinstance(change, ChannelFill):
            change.apply(value, self.plan.layouts[id], self.batch_size)
            return
        maps = batched_maps(value, self.plan.layouts[id], self.batch_size)
        if maps.untyped_storage().data_ptr() != value.untyped_storage().data_ptr():
            raise ModelError(f"layer {id!r} keeps its values in an order that can't be changed as maps")
        change(maps)


class _LayerHook:
    """Counts the calls of one module and passes its outputs on under the recorder's ids."""

    def __init__(self, run: _PartialRun, path: str) -> None:
        self.run, self.path, self.calls = run, path, 0

    def __call__(self, module: nn.Module, args: Any, output: Any) -> Any:
        self.calls += 1
        id = self.path if self.calls == 1 else f"{self.path}@{self.calls}"
        return self.run.module_finished(id, output) if id in self.run.plan.hooked_layers else None


def batched_maps(value: torch.Tensor, layout: MapLayout, batch_size: int) -> torch.Tensor:
    """Returns the maps (N, C, H, W) of all N = `batch_size` inputs in a layer's tensor, in its dtype.

    A view if strides allow it. A layer that works on windows gives the same window of each input, that of the layout.
    """
    items = select_inputs(value, layout, batch_size)
    items = items.permute(0, *(axis + 1 for axis in layout.axis_order))
    if layout.skipped_tokens:
        items = items.narrow(-1, layout.skipped_tokens, items.shape[-1] - layout.skipped_tokens)
    if math.prod(items.shape[1:]) == math.prod(layout.map_shape):
        return items.reshape(-1, *layout.map_shape)
    if items.dim() != 4:
        raise ModelError(f"a layer of shape {tuple(value.shape)} can't be drawn for inputs of another size")
    return items
