"""Compares networks: each is run on the same pictures, one after the other, so that two at most are in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..data import DataSet
from ..data.labelled import LabelledData
from ..dissection.findings import BAR, Rule, UnitFinding
from ..dissection.report import write_report
from ..dissection.run import Dissection, DissectionSettings, run_pass
from ..inputs.sources import NamedContent, replace_first
from ..recording import Progress, Recording
from ..recording.errors import InputError, ModelError
from ..server.loaded_model import PANELS, LoadedModel
from ..server.priority_lock import PriorityLock
from ..subject import RecordSpec
from .comparison_charts import add_comparison, categories_of, comparison_charts
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
    numbered: bool = True
    """Of a checkpoint: whether its epoch or step is known, or that of none."""


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
    hall: Recording
    """The reference with a picture of the data set; its maps carry the charts of the comparison."""
    left_out: list[str] = field(default_factory=list)
    """A line for each checkpoint that can't be compared."""
    remark: str = ""
    """Which checkpoints couldn't be the reference, and why."""

    @property
    def run(self) -> list[NetworkSummary]:
        """The networks up to the reference, which is the last of a training run."""
        return self.networks[: [network.label for network in self.networks].index(self.reference) + 1]


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
        folders = self._file_names([state.label for state in states])
        measure = partial(self._measure, folders=folders)
        live = self._load(states[0])
        first = measure(live, states[0].label, _part(progress, states[0].label, 0, len(states)))
        comparison = Comparison([summarise(first, first)], [], first.label, folders, self._hall(live))
        for k, state in enumerate(states[1:], 1):
            other = measure(self._load(state), state.label, _part(progress, state.label, k, len(states)))
            comparison.networks.append(summarise(other, first))
            comparison.pairs.append(compare_pair(first, other))
        self._add_charts(comparison, first, training=False)
        return comparison

    def compare_checkpoints(self, states: Sequence[NetworkState], progress: Progress) -> Comparison:
        """Compares each checkpoint of a run with the last numbered one, and the units of the first with those of that.

        Checkpoints that don't fit the network, can't be read, or give NaN are left out and named. Raises InputError if
        fewer than two are left, UnknownName or ModelError.
        """
        folders = self._file_names([state.label for state in states])
        left_out: dict[str, str] = {}
        waiting, last, comparison = list(states), None, None
        for k in range(len(states)):
            state = waiting.pop(0 if last is not None else _latest(waiting))
            try:
                live = self._load(state)
                found = self._measure(live, state.label, _part(progress, state.label, k, len(states)), folders)
            except ModelError as error:
                left_out[state.label] = str(error)
                continue
            if last is None or comparison is None:
                last = found
                comparison = Comparison([summarise(found, found)], [], found.label, folders, self._hall(live))
                continue
            comparison.networks.append(summarise(found, last))
            if not comparison.pairs:
                comparison.pairs.append(compare_pair(found, last))
        if last is None or comparison is None or not comparison.pairs:
            why = "".join(f"; {label}: {text}" for label, text in [*left_out.items()][:1])
            loaded = len(states) - len(left_out)
            raise InputError(f"{loaded} of {len(states)} checkpoints can be compared, at least 2 are needed{why}")
        labels = [state.label for state in states]
        comparison.networks.sort(key=lambda network: labels.index(network.label))
        comparison.left_out = [f"{label}: {left_out[label]}" for label in labels if label in left_out]
        comparison.remark = _remark(states, left_out, last.label)
        self._add_charts(comparison, last, training=True)
        return comparison

    def _hall(self, live: LoadedModel) -> Recording:
        """Records the panels of a network with its own input, or where it has none with the data set's first picture.

        Raises ModelError.
        """
        sources = live.default_sources
        if not live.spec.inputs:
            with suppress(InputError):  # a damaged picture, in whose place noise does
                sources = replace_first(sources, [NamedContent(self.data.title(0), self.data.picture(0))])
        return live.record(live.read(sources), PANELS, lambda maps: None)

    def _add_charts(self, comparison: Comparison, reference: MeasuredNetwork, training: bool) -> None:
        networks, pair = comparison.run if training else comparison.networks, comparison.pairs[0]
        charts = comparison_charts(networks, pair, comparison.reference, categories_of(reference), training)
        add_comparison(comparison.hall, reference, pair, charts)

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
        if bad := next((id for id, rows in features.rows.items() if not np.isfinite(rows).all()), ""):
            what = f"weights {Path(live.spec.weights).name}" if live.spec.weights else label
            raise ModelError(f"{what}: layer {bad} gives NaN or infinite values, which can't be compared")
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


def _latest(states: Sequence[NetworkState]) -> int:
    """Returns the place of the last checkpoint whose epoch or step is known, or of the last one."""
    return next((k for k in range(len(states) - 1, -1, -1) if states[k].numbered), len(states) - 1)


def _remark(states: Sequence[NetworkState], left_out: Mapping[str, str], reference: str) -> str:
    """Says why checkpoints that come after the reference aren't it; "" if there are none."""
    names = [state.label for state in states if not (state.numbered or state.label in left_out)]
    if not names or reference in names:
        return ""
    return f"the reference is {reference}, as {', '.join(names)} name{'s' * (len(names) == 1)} no epoch or step"


def _part(progress: Progress, label: str, number: int, count: int) -> Progress:
    """Returns the progress of one of `count` networks as a part of the whole."""
    return lambda doing, share: progress(f"{label}: {doing}", (number + share) / count)
