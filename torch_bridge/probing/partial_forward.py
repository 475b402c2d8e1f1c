"""Run a network as far as some of its layers, with gradients, and with changes to layers on the way.

The recorder's way of watching tells once how a layer's tensor becomes maps. After that plain hooks do where all layers
are modules, and cost nothing; operations between modules are watched each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from ..capture.ablation import channel_values, current_ablation, zero_channels
from ..capture.guard import RUN_LOCK, evaluation_mode, force_eager, model_errors
from ..capture.model_inputs import ModelInputs
from ..capture.trace.module_tracer import ModuleTracer
from ..capture.trace.op_types import tensors_in
from ..capture.trace.operation_tracer import OperationTracer
from ..capture.trace.provenance import TraceStep
from ..capture.trace.run import BatchSample, Run, displayed_output
from ..capture.values.map_layout import MapLayout
from ..predictions.outputs import main_tensor
from ..recording.errors import ModelError

Change = Callable[[torch.Tensor], None]
"""Changes a layer's maps (N, C, H, W) in place."""


class ChannelFill(NamedTuple):
    """Another change: each input has one channel that gets a value everywhere, in windows and special tokens too."""

    channels: Sequence[int]
    """-1 for an input that stays as it is."""
    values: Sequence[float]

    def on(self, value: torch.Tensor, made: MapLayout, batch: int) -> None:
        """Fill them in a layer's tensor of so many inputs."""
        share = 1 if made.batch is None else value.shape[made.batch] // batch
        for k, (channel, fill) in enumerate(zip(self.channels, self.values, strict=True)):
            if channel < 0:
                continue
            own = value if made.batch is None else value.narrow(made.batch, k * share, share)
            channel_values(own, made, channel).fill_(fill)


class PartialResult(NamedTuple):
    """What came out of one run."""

    maps: dict[str, torch.Tensor]
    """By layer: (N, C, H, W) with its gradient's history, as it was before anything changed it in place."""
    output: torch.Tensor | None
    """The main tensor of the network's answer; None where it was stopped before."""
    edges: dict[str, GradientEdge]
    """By layer: where gradients come to its tensor, whatever changes that in place later."""
    spreads: Mapping[str, MapLayout]
    tensors: dict[str, torch.Tensor]
    """By layer: what the maps are made of, windows and special tokens too."""

    def gradients(self, of: torch.Tensor) -> dict[str, torch.Tensor]:
        """By layer: (N, C, H, W) how a number changes with the maps; 0 where it doesn't depend on them."""
        found = torch.autograd.grad(of, list(self.edges.values()), allow_unused=True)
        made = {
            id: torch.zeros_like(self.tensors[id]) if one is None else one
            for id, one in zip(self.edges, found, strict=True)
        }
        return {id: batched_maps(one, self.spreads[id], len(self.maps[id])) for id, one in made.items()}


class PartialForward:
    """The way to some layers of a network. Made once, by one run; called as often as one likes.

    What is held as ablated when it is made is so in all its runs. Raises ModelError where the network fails, or a layer
    isn't reached or can't be drawn.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str], arguments: tuple[Any, ...]) -> None:
        self.model, self.layers, self.ablation = model, tuple(layers), current_ablation()
        self.watched = {*self.layers, *self.ablation.channels}
        self._paths = {module: path for path, module in model.named_modules()}
        self._modules = {path: module for module, path in self._paths.items()}
        self._spreads: dict[str, MapLayout] = {}
        with torch.no_grad():
            self._run(arguments, {}, whole=False, watched=True)

    def __call__(
        self, arguments: tuple[Any, ...], changes: Mapping[str, Change | ChannelFill] | None = None, whole: bool = False
    ) -> PartialResult:
        """Run on N inputs at once; only as far as the last of the layers, unless the `whole` answer is wanted.

        changes: by layer, out of those that this was made for. Gradients flow where the caller has them enabled.
        """
        return self._run(arguments, changes or {}, whole, any(not self._hookable(id) for id in self.watched))

    def _hookable(self, id: str) -> bool:
        module = self._modules.get(id.partition("@")[0])
        return module is not None and not isinstance(module, torch.jit.ScriptModule)

    def _run(
        self, arguments: tuple[Any, ...], changes: Mapping[str, Change | ChannelFill], whole: bool, watched: bool
    ) -> PartialResult:
        trip = _Trip(self, arguments, changes, whole)
        ways = trip.watching() if watched else trip.hooked()
        graded, output = torch.is_grad_enabled(), None  # leaving inference mode would enable gradients
        with RUN_LOCK, evaluation_mode(self.model, list(self._paths)), force_eager(self._paths), model_errors(self._paths):
            with torch.inference_mode(False), torch.set_grad_enabled(graded), suppress(_Arrived), ways:
                output = main_tensor(self.model(*arguments))
        missing = [id for id in self.layers if id not in trip.maps]
        if missing:
            raise ModelError(f"layer {missing[0]!r} wasn't reached, or has values that can't be drawn as maps")
        return PartialResult(trip.maps, output, trip.edges, self._spreads, trip.tensors)


class _Arrived(BaseException):
    """The last layer has been reached; no network catches this."""


class _Trip:
    """One run."""

    def __init__(
        self, reach: PartialForward, arguments: tuple[Any, ...], changes: Mapping[str, Change | ChannelFill], whole: bool
    ) -> None:
        self.reach, self.arguments, self.changes, self.whole = reach, arguments, changes, whole
        self.given = ModelInputs.of(list(reach._paths), arguments)
        self.batch = self.given.batch
        self.maps: dict[str, torch.Tensor] = {}
        self.edges: dict[str, GradientEdge] = {}
        self.tensors: dict[str, torch.Tensor] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """As the recorder does; this sees operations, too, and learns how tensors become maps."""
        run = Run(self.reach._paths, self, BatchSample(self.batch), self.reach.ablation)
        for tensor in dict.fromkeys(self.given.tensors):
            run.made(TraceStep(run.end_id("input"), "input", family="input"), [tensor], self.given.axes(tensor))
        with ModuleTracer(run, self.reach._paths).watching(), OperationTracer(run):
            yield

    def finished(self, step: TraceStep, value: torch.Tensor) -> bool:
        """A keeper's: a layer has its output, ablated already."""
        if step.id in self.reach.ablation.channels and step.spread is not None:
            self.reach._spreads[step.id] = step.spread
        if step.id in self.reach.layers and step.spread is not None and not step.spread.empty:
            self.reach._spreads[step.id] = step.spread
            if step.id in self.changes:
                with torch.no_grad():
                    self._change(step.id, value.detach())
            self._keep(step.id, value, value.clone() if self._goes_on(step.id) else value)
        return False

    def touched(self, step: TraceStep, value: torch.Tensor) -> None:
        """A keeper's: nothing is waited for."""

    def attended(self, step: TraceStep, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A keeper's: attention is of no interest here."""

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """A hook on each module that is a layer asked for, or ablated."""
        handles, paths = [], dict.fromkeys(id.partition("@")[0] for id in self.reach.watched)
        try:
            for path in paths:
                handles.append(self.reach._modules[path].register_forward_hook(_Hook(self, path)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def passed(self, id: str, output: Any) -> Any:
        """A module that is the layer `id` has given `output`; what goes on instead of it."""
        value = output if isinstance(output, torch.Tensor) else displayed_output(list(tensors_in(output)))
        if id in self.reach.ablation.channels:
            if value is output:
                value = output = value.clone()
            zero_channels(value, self.reach._spreads[id], self.reach.ablation.channels[id])
        if id not in self.reach.layers:
            return output
        if id in self.changes and value is output:
            value = output = value.clone()
            self._change(id, value)
        elif id in self.changes:
            with torch.no_grad():
                self._change(id, value.detach())
        goes_on = self._goes_on(id)
        self._keep(id, value, value)
        return output.clone() if goes_on and value is output else output

    def _goes_on(self, id: str) -> bool:
        return self.whole or len({*self.maps, id}) < len(self.reach.layers)

    def _keep(self, id: str, value: torch.Tensor, lasting: torch.Tensor) -> None:
        """lasting: the same values where nothing can change them in place."""
        if value.requires_grad:
            self.edges[id] = get_gradient_edge(value)
        self.tensors[id] = lasting
        self.maps[id] = batched_maps(lasting, self.reach._spreads[id], self.batch)
        if not self.whole and len(self.maps) == len(self.reach.layers):
            raise _Arrived

    def _change(self, id: str, value: torch.Tensor) -> None:
        change = self.changes[id]
        if isinstance(change, ChannelFill):
            change.on(value, self.reach._spreads[id], self.batch)
            return
        maps = batched_maps(value, self.reach._spreads[id], self.batch)
        if maps.untyped_storage().data_ptr() != value.untyped_storage().data_ptr():
            raise ModelError(f"layer {id!r} keeps its values in an order that can't be changed as maps")
        change(maps)


class _Hook:
    """Counts the calls of one module, as the recorder does for its ids."""

    def __init__(self, trip: _Trip, path: str) -> None:
        self.trip, self.path, self.calls = trip, path, 0

    def __call__(self, module: nn.Module, args: Any, output: Any) -> Any:
        self.calls += 1
        id = self.path if self.calls == 1 else f"{self.path}@{self.calls}"
        return self.trip.passed(id, output) if id in self.trip.reach.watched else None


def batched_maps(value: torch.Tensor, made: MapLayout, count: int) -> torch.Tensor:
    """(N, C, H, W): the maps of all of `count` inputs in a layer's tensor; a view wherever strides can say it."""
    items = value[None] if made.batch is None else value.movedim(made.batch, 0)
    items = items[:: max(len(items) // count, 1)][:count]  # one window each, where a layer works on many
    items = items.permute(0, *(axis + 1 for axis in made.order))
    if made.skip:
        items = items.narrow(-1, made.skip, items.shape[-1] - made.skip)
    if math.prod(items.shape[1:]) == math.prod(made.map_shape):
        return items.reshape(-1, *made.map_shape)
    if items.dim() != 4:
        raise ModelError(f"a layer of shape {tuple(value.shape)} can't be drawn for inputs of another size")
    return items
