"""Compares networks: each is run on the same pictures, one after the other, so that two at most are in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ..data import DataSet
from ..data.labelled import LabelledData
from ..dissection.findings import BAR, Rule, UnitFinding
from ..dissection.report import write_report
from ..dissection.run import Dissection, DissectionSettings, run_pass
from ..recording import Progress
from ..recording.errors import InputError, ModelError
from ..server.loaded_model import LoadedModel
from ..server.priority_lock import PriorityLock
from ..subject import RecordSpec
from .features import collect_features, unit_kernels
from .measured_network import MeasuredNetwork
from .network_summary import NetworkSummary, summarise
from .unit_changes import NetworkPair, compare_pair

FEATURES_UNTIL = 0.2
"""Share of a network's work after which its layers are compared and the dissection begins."""
FileNames = Callable[[Iterable[str]], Mapping[str, str]]
"""Gives names of files or folders, each by the text that it stands for."""


class NetworkState(NamedTuple):
    """A network with weights, and what people call it."""

    label: str
    spec: RecordSpec


@dataclass(frozen=True)
class ComparisonSettings:
    """What is compared, and how."""

    dissection: DissectionSettings = field(default_factory=DissectionSettings)
    probe: int = 100
    """Pictures by which layers and units are compared, the first ones of the data set."""
    rule: Rule = "category"
    bar: float = BAR


@dataclass
class Comparison:
    """What was found."""

    networks: list[NetworkSummary]
    """In order; of a training run the earliest first."""
    pairs: list[NetworkPair]
    reference: str
    """Label of the network that all others are compared with."""
    folders: Mapping[str, str]
    """By label of a network the name of the folder of its dissection."""
    left_out: list[str] = field(default_factory=list)
    """A line for each checkpoint that can't be loaded."""


class NetworkComparer:
    """Measures and compares networks over a data set."""

    def __init__(
        self, data: DataSet, settings: ComparisonSettings, folder: Path, device: Any, file_names: FileNames
    ) -> None:
        """folder: where each network's dissection goes, in a folder of its own; it is created."""
        if settings.probe < 2:
            raise InputError(f"{settings.probe} pictures to compare by: at least 2 are needed")
        self.data, self.settings, self.folder = data, settings, folder
        self._device, self._file_names = device, file_names

    def compare_networks(self, states: Sequence[NetworkState], progress: Progress) -> Comparison:
        """Compares each network with the first. Raises InputError, UnknownName or ModelError."""
        if len(states) < 2:
            raise InputError("one network is nothing to compare; name another, or --checkpoints FOLDER")
        folders = self._file_names([label for label, _ in states])
        measure = partial(self._measure, folders=folders)
        first = measure(self._load(states[0]), states[0].label, _part(progress, states[0].label, 0, len(states)))
        comparison = Comparison([summarise(first, first)], [], first.label, folders)
        for k, state in enumerate(states[1:], 1):
            other = measure(self._load(state), state.label, _part(progress, state.label, k, len(states)))
            comparison.networks.append(summarise(other, first))
            comparison.pairs.append(compare_pair(first, other))
        return comparison

    def compare_checkpoints(self, states: Sequence[NetworkState], progress: Progress) -> Comparison:
        """Compares each checkpoint of a run with the last one, and the units of the first with those of the last.

        Checkpoints that don't fit the network, or can't be read, are left out and named. Raises InputError if fewer
        than two are left, UnknownName or ModelError.
        """
        folders = self._file_names([label for label, _ in states])
        left_out: dict[str, str] = {}
        waiting, last, comparison = list(states), None, None
        for k in range(len(states)):
            state = waiting.pop(-1 if last is None else 0)
            live = self._try(state, left_out)
            if live is None:
                continue
            found = self._measure(live, state.label, _part(progress, state.label, k, len(states)), folders)
            if last is None or comparison is None:
                last, comparison = found, Comparison([summarise(found, found)], [], found.label, folders)
                continue
            comparison.networks.insert(-1, summarise(found, last))
            if not comparison.pairs:
                comparison.pairs.append(compare_pair(found, last))
        if comparison is None or not comparison.pairs:
            why = "".join(f"; {label}: {text}" for label, text in [*left_out.items()][:1])
            loaded = len(states) - len(left_out)
            raise InputError(f"{loaded} of {len(states)} checkpoints can be loaded, at least 2 are needed{why}")
        comparison.left_out = [f"{label}: {left_out[label]}" for label, _ in states if label in left_out]
        return comparison

    def _try(self, state: NetworkState, left_out: dict[str, str]) -> LoadedModel | None:
        try:
            return self._load(state)
        except ModelError as error:
            left_out[state.label] = str(error)
            return None

    def _load(self, state: NetworkState) -> LoadedModel:
        return LoadedModel(state.label, state.spec, self._device, PriorityLock())

    def _measure(
        self, live: LoadedModel, label: str, progress: Progress, folders: Mapping[str, str]
    ) -> MeasuredNetwork:
        live.record(live.read(live.default_sources), (), lambda maps: None)
        network, ids = live.run_context.network, live.run_context.ids(self.settings.dissection.layers)
        self.folder.mkdir(parents=True, exist_ok=True)  # now, not after the work, an error says that it can't be
        indices = range(min(self.settings.probe, len(self.data)))
        features = run_pass(
            live, ids, self.data, indices, collect_features, lambda share: progress("layers", FEATURES_UNTIL * share)
        )
        kernels = unit_kernels(live, ids)
        findings = self._dissect(live, label, self.folder / folders[label], progress)
        return MeasuredNetwork(label, network.parameters, features, kernels, findings, self.settings.bar)

    def _dissect(self, live: LoadedModel, label: str, folder: Path, progress: Progress) -> dict[str, list[UnitFinding]]:
        """Returns what units detect, by layer; {} over pictures whose pixels have no labels."""
        if not isinstance(self.data, LabelledData):
            return {}
        dissection = Dissection(live, self.data, self.settings.dissection, folder)
        dissection.run(lambda doing, share: progress(doing, FEATURES_UNTIL + (1 - FEATURES_UNTIL) * share))
        results = dissection.results(self.settings.rule)
        about = {**dissection.folder.about, "rule": self.settings.rule, "network": label}
        write_report(folder, about, results, self._file_names(dissection.ids), self.settings.bar)
        return {layer.layer: layer.findings for layer in results}


def _part(progress: Progress, label: str, number: int, count: int) -> Progress:
    """Returns the progress of one of `count` networks as a part of the whole."""
    return lambda doing, share: progress(f"{label}: {doing}", (number + share) / count)
