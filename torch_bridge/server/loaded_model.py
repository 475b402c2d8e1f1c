"""A network that stays loaded: inputs are recorded one after another, and methods are asked about the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, NamedTuple

import torch

from ..capture.ablation import NO_ABLATION, Ablation, ChannelsByLayer, use_ablation
from ..capture.recorder import record
from ..inputs.first_layer import argument_names
from ..inputs.sources import Input, NamedContent, Source
from ..methods import Method, MethodContext, Step
from ..models.device import to_device
from ..models.fingerprint import fingerprint
from ..recording import Maps, Network, Recording
from ..recording.errors import InputError, UnknownName
from ..subject import RecordSpec, Subject, noise, prepare, run
from .priority_lock import PriorityLock

PANELS = "panels"


class RunContext(NamedTuple):
    """What a network looked at, and its graph then."""

    inputs: tuple[Input, ...]
    network: Network
    ablation: Ablation = NO_ABLATION
    """What was taken away from it then."""

    def ids(self, layers: Sequence[str]) -> tuple[str, ...]:
        """The layers that are meant: ids, globs of panels' or else of any layers, "panels". Raises UnknownName.

        Panels stand for the layers whose maps they show.
        """
        return tuple(dict.fromkeys(id for text in layers for id in self._meant(text)))

    def _meant(self, text: str) -> list[str]:
        if text == PANELS:
            return _shown(self.network)
        if text in self.network.by_id:
            return [text]
        fitting = [layer for layer in self.network.layers if fnmatchcase(layer.id, text)]
        panels = [layer.shows for layer in fitting if layer.role == "panel"]
        if not fitting:
            raise UnknownName("layer", text, self.network.by_id)
        return panels or [layer.id for layer in fitting]


class LoadedModel:
    """One network on its device. Whoever runs it takes a turn first.

    Raises ModelError, InputError or UnknownName where it can't be built.
    """

    def __init__(
        self, name: str, spec: RecordSpec, device: Any, turns: PriorityLock, subject: Subject | None = None
    ) -> None:  # fmt: skip
        self.name, self.spec, self.device, self.lock = name, spec, device, turns
        self.subject = subject or prepare(spec)
        self.model = self.subject.built.module.to(device)
        self.last_run: RunContext | None = None
        self.served_models: Mapping[str, LoadedModel] = {}
        """Networks that are served beside it, itself among them."""

    @property
    def default_sources(self) -> list[Source]:
        """What it looks at when nothing is said."""
        return list(self.spec.inputs) or list(noise(self.subject.built, self.spec.seed))

    @cached_property
    def fingerprint(self) -> str:
        """Of its weights: equal for equal values, whatever file they came from."""
        return fingerprint(self.model)

    @property
    def run_context(self) -> RunContext:
        """What it looked at last. Raises InputError before the first input."""
        if self.last_run is None:
            raise InputError(f"{self.name} hasn't looked at anything yet; give it an input first")
        return self.last_run

    def describe(self) -> dict[str, Any]:
        """What a person chooses it by."""
        feeder, last = self.subject.adapter, self.last_run
        return {
            "name": self.name,
            "title": self.spec.name or self.subject.built.name,
            "weights": self.subject.weights,
            "parameters": sum(one.numel() for one in self.model.parameters()),
            "classes": len(self.subject.names.names),
            "names": list(self.subject.names.names),
            "inputs": argument_names(self.subject.built.module),
            "size": list(feeder.how.size or ()),
            "graph": last.network.digest if last else "",
        }

    def read(self, sources: Sequence[Source], index: int = 0) -> tuple[Input, ...]:
        """What a person names, prepared for the network. Raises InputError."""
        return tuple(self.subject.adapter.read(list(sources), index))

    def ablation(self, network: Network, asked: ChannelsByLayer | None) -> Ablation:
        """What of it is taken away, by default what its order says. Raises UnknownName or InputError."""
        return Ablation.of(network, self.spec.ablate if asked is None else asked)

    def record(
        self, inputs: Sequence[Input], layers: Sequence[str], copied: Callable[[Maps], None],
        ablate: ChannelsByLayer | None = None,
    ) -> Recording:  # fmt: skip
        """Run it on inputs. `copied` hears of all maps, while the network runs if it is known then which are kept.

        layers: globs over ids, or "panels". What `copied` raises ends the run. ablate: as `ablation` takes it.
        """
        with self.lock.now():
            flush_denormals()
            ablation = NO_ABLATION
            if self.spec.ablate if ablate is None else ablate:
                known = self.last_run or run(self.spec, self.subject, inputs, (), self.device)
                ablation = self.ablation(known.network, ablate)
            made = self._streamed(inputs, layers, copied, ablation)
            told = made is not None
            if made is None:
                made = run(self.spec, self.subject, inputs, layers, self.device, ablate=ablation)
            if self.last_run is not None and made.network == self.last_run.network:
                made.network = self.last_run.network  # what is known of it need not be found out again
            self.last_run = RunContext(tuple(inputs), made.network, ablation)
        for maps in () if told else made.all_maps.values():
            copied(maps)
        return made

    def _streamed(
        self, inputs: Sequence[Input], layers: Sequence[str], copied: Callable[[Maps], None], ablation: Ablation
    ) -> Recording | None:
        """None where the graph must be known first, or turns out to be another than last time."""
        exact = list(layers)
        if PANELS in exact:
            if self.last_run is None or len(exact) > 1:
                return None
            exact = _shown(self.last_run.network)
        try:
            made = run(self.spec, self.subject, inputs, exact, self.device, copied=copied, ablate=ablation)
        except UnknownName:
            if PANELS not in layers:
                raise
            return None
        return made if PANELS not in layers or _shown(made.network) == exact else None

    def run_method(
        self, method: Method, ids: Sequence[str], parameters: Any, data: Any, seen: RunContext | None = None,
        channels: Sequence[int] = (),
    ) -> Iterator[Step]:  # fmt: skip
        """The steps of a method about what was seen, each in a turn that waits for everybody else's.

        ids: of the layers that are asked about; channels: of these, () for all. They are about the network as it was
        ablated then. Raises whatever the method does.
        """
        seen = seen or self.run_context
        flush_denormals()
        with self.lock.later():
            running = method.run(self.method_context(seen, ids, data, channels), parameters)
        try:
            while True:
                with self.lock.later(), use_ablation(seen.ablation):
                    step = next(running, None)
                if step is None:
                    return
                yield step
        finally:
            with self.lock.later():
                running.close()  # type: ignore[attr-defined]  # methods are generators

    def method_context(self, seen: RunContext, ids: Sequence[str], data: Any, channels: Sequence[int]) -> MethodContext:
        """What a method is given about what was seen; for who has taken a turn."""

        def again(arguments: tuple[Any, ...], layers: Sequence[str]) -> Recording:
            return record(
                self.model, to_device(arguments, self.device), layers=list(layers), picture=seen.inputs[0].picture,
                grid=self.spec.grid, ablate=seen.ablation,
            )  # fmt: skip

        arguments = to_device(self.subject.adapter.arguments(seen.inputs), self.device)
        return MethodContext(
            self.model, arguments, seen.network, tuple(ids), tuple(channels), again, self._feed, data, self.device,
            self.subject.adapter.how, self.subject.names,
            {name: one.subject for name, one in self.served_models.items() if one is not self},
        )  # fmt: skip

    def _feed(self, picture: Any) -> tuple[Any, ...]:
        sources: list[Source] = [NamedContent("a picture", picture), *self.default_sources[1:]]
        return to_device(self.subject.adapter.arguments(self.read(sources)), self.device)


def _shown(network: Network) -> list[str]:
    """Ids of the layers whose maps the panels show."""
    return [one.shows for one in network.layers if one.role == "panel"]


def flush_denormals() -> None:
    """What holds for one thread only: denormal numbers, which take a hundred times as long, are 0."""
    torch.set_flush_denormal(True)
