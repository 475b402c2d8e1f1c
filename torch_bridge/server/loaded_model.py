"""A network that stays loaded, runs on one input after another, and runs methods about these runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import torch

from ..capture.ablation import NO_ABLATION, Ablation, ChannelsByLayer, use_ablation
from ..capture.guard import RUN_LOCK, evaluation_mode
from ..capture.layer_paths import layer_paths
from ..capture.recorder import record
from ..capture.strokes import resolve_strokes
from ..inputs.argument_checks import source_arguments
from ..inputs.first_layer import argument_names
from ..inputs.sources import Input, NamedContent, Source, copy_input, replace_first
from ..methods import Method, MethodContext, Step
from ..models.device import to_device
from ..models.fingerprint import weights_fingerprint
from ..probing.unit_levels import measure_levels, noise_codes
from ..recording import Maps, Network, Recording
from ..recording.arguments import name_list
from ..recording.errors import InputError, UnknownName
from ..subject import RecordSpec, Subject, default_sources, own_modules, prepare, run
from .priority_lock import PriorityLock

PANELS = "panels"
"""Stands for the layers whose maps the panels show."""


class RunContext(NamedTuple):
    """The inputs, the graph, the ablation and the positions of a run; methods compute their maps for it."""

    inputs: tuple[Input, ...]
    network: Network
    ablation: Ablation = NO_ABLATION
    positions: Mapping[str, int] = MappingProxyType({})
    """By layer id, which frame, window or other position of the input is shown; 0 for all other layers."""

    def ids(self, layers: str | Sequence[str]) -> tuple[str, ...]:
        """Layer ids for an id, a glob or "panels", or a list of these. Raises UnknownName.

        A glob that fits panels stands for the layers whose maps these panels show, else for all layers that it fits.
        Raises InputError if there are none.
        """
        ids = tuple(dict.fromkeys(id for text in name_list(layers) for id in self._matching(text)))
        if not ids:
            drawn = [layer.id for layer in self.network.layers if layer.role not in ("input", "output")]
            some = f"name layers, such as {', '.join(drawn[:3])}" if drawn else "it has no layers"
            raise InputError(f"{self.network.name}: no layer with a panel is asked about; {some}")
        return ids

    def _matching(self, text: str) -> list[str]:
        if text == PANELS:
            return _shown_layers(self.network)
        if text in self.network.by_id:
            return [text]
        matching = [layer for layer in self.network.layers if fnmatchcase(layer.id, text)]
        if not matching:
            raise UnknownName("layer", text, self.network.by_id)
        shown = [layer.shows for layer in matching if layer.role == "panel"]
        inner = [layer.id for layer in matching if layer.role not in ("input", "output")]
        return shown or inner or [layer.id for layer in matching]


class LoadedModel:
    """One network on its device. Every run holds the lock, which all networks of a bridge share.

    Raises ModelError, InputError or UnknownName when the network can't be built.
    """

    def __init__(
        self, name: str, spec: RecordSpec, device: Any, lock: PriorityLock, subject: Subject | None = None
    ) -> None:
        self.name, self.spec, self.device, self.lock = name, spec, device, lock
        self.subject = subject or prepare(spec)
        self.is_own = subject is None
        """Whether it was built here; else it is a module of the caller, which may change and stays on its devices."""
        self.model = self.subject.built.module.to(device) if self.is_own else self.subject.built.module
        self.last_run: RunContext | None = None
        self.served_models: Mapping[str, LoadedModel] = {}
        """All networks of the bridge, including this one."""
        self.flushes_denormals = True
        """Whether denormal numbers count as 0, which is a hundred times as fast; else values are exactly `record`'s."""
        self._levels: dict[str, list[float]] = {}
        """Level of each channel where it is active, by layer; of a network of the caller they may change."""

    @property
    def default_sources(self) -> list[Source]:
        """The inputs of the spec, else noise."""
        return default_sources(self.spec, self.subject.built)

    @property
    def input_names(self) -> list[str]:
        """The name of the argument that each of the default inputs is for, then those that `forward` also needs."""
        module = self.subject.built.module
        return list(dict.fromkeys([*source_arguments(module, self.default_sources), *argument_names(module)]))

    @property
    def fingerprint(self) -> str:
        """Hash of the weights: equal for equal values, whatever file they came from."""
        return self._own_fingerprint if self.is_own else weights_fingerprint(self.model)

    @cached_property
    def _own_fingerprint(self) -> str:
        return weights_fingerprint(self.model)

    @property
    def run_context(self) -> RunContext:
        """The last run. Raises InputError before the first one."""
        if self.last_run is None:
            raise InputError(f"{self.name} hasn't run on an input yet; give it one first")
        return self.last_run

    @property
    def layer_names(self) -> set[str]:
        """Names of all modules, and ids of the layers of the last run."""
        layers = self.last_run.network.by_id if self.last_run else {}
        return {path for path in layer_paths(self.model).values() if path} | layers.keys()

    def describe(self) -> dict[str, Any]:
        """Plain values for a list of networks: names, size, weights, classes and inputs."""
        return {
            "name": self.name,
            "title": self.spec.name or self.subject.built.name,
            "weights": self.subject.weights,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "classes": len(self.subject.names.names),
            "names": list(self.subject.names.names),
            "inputs": self.input_names,
            "size": list(self.subject.adapter.preprocessing.size or ()),
            "graph": self.last_run.network.digest if self.last_run else "",
        }

    def read(self, sources: Sequence[Source], index: int = 0) -> tuple[Input, ...]:
        """Read and preprocess inputs, one for each argument of the network. Raises InputError."""
        return tuple(self.subject.adapter.read(list(sources), index, self._known_values()))

    def _known_values(self) -> dict[str, Any]:
        """By the names of arguments, what each got in the last run, or gets by default where that is read already."""
        known = self.last_run.inputs if self.last_run is not None else self.default_sources
        names = source_arguments(self.subject.built.module, known)
        return {name: source.values for name, source in zip(names, known, strict=True) if isinstance(source, Input)}

    def ablation(
        self, network: Network, channels: ChannelsByLayer | None, strokes: Any = (), inputs: Sequence[Input] = ()
    ) -> Ablation:
        """The ablation of these channels, by default of those in the spec, with strokes on these inputs' maps.

        The caller must hold the lock. Raises UnknownName or InputError.
        """
        resolved = Ablation.resolve(network, self.spec.ablate if channels is None else channels)
        return replace(resolved, strokes=resolve_strokes(network, strokes, lambda layer: self._level(layer, inputs)))

    def _level(self, layer: str, inputs: Sequence[Input]) -> list[float]:
        """The value that each channel of a layer has where it is active: over noise for a generator, else over inputs.

        Those over noise are measured once.
        """
        arguments = to_device(self.subject.adapter.arguments([copy_input(read) for read in inputs]), self.device)
        codes = noise_codes(arguments)
        if codes is None or not self.is_own:
            return measure_levels(self.model, layer, arguments if codes is None else codes)
        if layer not in self._levels:
            self._levels[layer] = measure_levels(self.model, layer, codes)
        return self._levels[layer]

    def record(
        self,
        inputs: Sequence[Input],
        layers: str | Sequence[str],
        on_maps: Callable[[Maps], None],
        ablate: ChannelsByLayer | None = None,
        positions: Mapping[str, int] | None = None,
        strokes: Any = (),
    ) -> Recording:
        """Run the network on inputs and return the recording.

        layers: globs over layer ids, or "panels". on_maps: called with the maps of each layer, during the run where the
        layers to keep are known by then; an exception in it ends the run. ablate, strokes: as in `ablation`. positions:
        as in `record`, besides those of the spec.
        """
        layers, positions = name_list(layers), {**self.spec.positions, **(positions or {})}
        with self.lock.urgent():
            torch.set_flush_denormal(self.flushes_denormals)
            ablation = NO_ABLATION
            if strokes or (self.spec.ablate if ablate is None else ablate):
                known = self.last_run or run(self.spec, self.subject, inputs, (), self.device)
                ablation = self.ablation(known.network, ablate, strokes, inputs)
            options = {"ablate": ablation, "positions": positions}
            streamed = self._record_streaming(inputs, layers, on_maps, options)
            recording = streamed or run(self.spec, self.subject, inputs, layers, self.device, **options)
            if self.last_run is not None and recording.network == self.last_run.network:
                recording.network = self.last_run.network  # keeps its cached digest and index
            self.last_run = RunContext(tuple(inputs), recording.network, ablation, positions)
        if streamed is None:
            for maps in recording.all_maps.values():
                on_maps(maps)
        return recording

    def _record_streaming(
        self,
        inputs: Sequence[Input],
        layers: Sequence[str],
        on_maps: Callable[[Maps], None],
        options: Mapping[str, Any],
    ) -> Recording | None:
        """Record with maps sent during the run; None where the graph must be known first or has changed."""
        ids = list(layers)
        if PANELS in ids:
            if self.last_run is None or len(ids) > 1:
                return None
            ids = _shown_layers(self.last_run.network)
        try:
            recording = run(self.spec, self.subject, inputs, ids, self.device, on_maps=on_maps, **options)
        except UnknownName:
            if PANELS not in layers:
                raise
            return None
        return recording if PANELS not in layers or _shown_layers(recording.network) == ids else None

    def run_method(
        self,
        method: Method,
        ids: Sequence[str],
        parameters: Any,
        data: Any,
        context: RunContext | None = None,
        channels: Sequence[int] = (),
    ) -> Iterator[Step]:
        """Yield the steps of a method; each holds the lock with low priority.

        ids: the layers to compute maps of. channels: the channels of these layers, () for all. context: the run that
        the method is about, by default the last one. Raises whatever the method raises.
        """
        context = context or self.run_context
        torch.set_flush_denormal(self.flushes_denormals)
        with self.lock.background():
            steps = method.steps(self.method_context(context, ids, data, channels), parameters)
        try:
            while True:
                with (
                    self.lock.background(),
                    RUN_LOCK,
                    evaluation_mode(list(layer_paths(self.model))),
                    use_ablation(context.ablation),
                    own_modules(self.spec),
                ):
                    step = next(steps, None)
                if step is None:
                    return
                yield step
        finally:
            with self.lock.background():
                steps.close()  # type: ignore[attr-defined]  # methods are generators

    def method_context(
        self, context: RunContext, ids: Sequence[str], data: Any, channels: Sequence[int]
    ) -> MethodContext:
        """The argument of a method's `run`. The caller must hold the lock."""

        def record_again(arguments: tuple[Any, ...], layers: Sequence[str]) -> Recording:
            return record(
                self.model,
                to_device(arguments, self.device),
                layers=layers,
                picture=context.inputs[0].picture,
                grid=self.spec.grid,
                positions=context.positions,
                ablate=context.ablation,
            )

        return MethodContext(
            self.model,
            to_device(self.subject.adapter.arguments([copy_input(read) for read in context.inputs]), self.device),
            context.network,
            tuple(ids),
            tuple(dict.fromkeys(channels)),
            record_again,
            self._picture_arguments,
            data,
            self.device,
            self.subject.adapter.preprocessing,
            self.subject.names,
            context.positions,
            {name: served.subject for name, served in list(self.served_models.items()) if served is not self},
        )

    def _picture_arguments(self, picture: Any) -> tuple[Any, ...]:
        """Arguments of `forward` for a Pillow image as the first input, with the defaults for the others.

        Raises InputError if the default for the first one can't be a picture.
        """
        sources = self.default_sources
        default = sources[0]
        first = default.values if isinstance(default, Input) and default.unchanged else None
        if isinstance(first, torch.Tensor) and (first.is_nested or not first.is_floating_point()):
            raise InputError(f"{self.name} takes no pictures of a data set: its first input isn't one")
        with_picture = replace_first(sources, [NamedContent("a picture", picture)])
        arguments = self.subject.adapter.arguments(self.read(with_picture))
        return to_device(arguments, self.device)


def _shown_layers(network: Network) -> list[str]:
    """Ids of the layers whose maps the panels show."""
    return [layer.shows for layer in network.layers if layer.role == "panel"]
