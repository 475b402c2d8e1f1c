"""Network Dissection of a loaded network over a labelled data set, in parts that several processes may share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..data import DataSet
from ..data.labelled import LabelledData
from ..method_support.method import Method, MethodContext, Step
from ..recording import Progress
from ..recording.errors import InputError
from ..server.loaded_model import PANELS, LoadedModel
from ..statistics import TopK
from .alignment import Alignment
from .findings import UnitFinding, find_concepts
from .parts import KINDS, DissectionFolder, Kind
from .passes import LayerValues, PassResult, collect_values, count_masks
from .tally import UnitCounts

PART = 250
"""Pictures of a part."""
FORMAT = 3
"""Version of the files of parts."""
Result = TypeVar("Result", LayerValues, UnitCounts)
LEFT: dict[Kind, str] = {
    "values": "the first pass is done here; run it again once the other shards have done theirs",
    "counts": "both passes are done here; the report is written once the other shards have done theirs",
}
"""What is left to do where other shards' results of a pass are missing."""
Pass = Callable[[MethodContext, Sequence[int]], Iterator[Any]]


@dataclass(frozen=True)
class DissectionSettings:
    """What is dissected, and how."""

    layers: tuple[str, ...] = (PANELS,)
    count: int = 0
    """Pictures of the data set to look at, the first ones; 0 for all."""
    quantile: float = 0.005
    """Share of positions at which a unit's value exceeds its threshold, 0..1."""
    rotation: int = 0
    """Seed of a random rotation of each layer's units, as a control; 0 for none."""
    alignment: Alignment = "even"
    """Whether a map's positions are spread evenly over the picture, or lie where their receptive fields do."""


@dataclass(frozen=True)
class LayerDissection:
    """The result for a layer."""

    layer: str
    thresholds: np.ndarray
    """(U,) float32."""
    best: TopK
    """The pictures in which each unit is most active."""
    unit_pixels: np.ndarray
    """(U,) int64: pixels of each unit's mask."""
    pictures: int
    """Pictures that were counted."""
    findings: list[UnitFinding]


class Dissection:
    """A dissection and its files."""

    def __init__(self, live: LoadedModel, data: DataSet, settings: DissectionSettings, folder: Path) -> None:
        """Records the network's default input to know its layers. Raises InputError, UnknownName or ModelError."""
        if not isinstance(data, LabelledData):
            raise InputError(
                f"data set {data.name}: its pixels have no labels; see docs/dissection.md for what is read"
            )
        if not 0 < settings.quantile < 1:
            raise InputError(f"quantile {settings.quantile:g}: a share above 0 and below 1 is needed, such as .005")
        if settings.count < 0:
            raise InputError(f"{settings.count} pictures of {data.name}: a number above 0 is needed, or 0 for all")
        self.live, self.data, self.settings = live, data, settings
        live.record(live.read(live.default_sources), (), lambda maps: None)
        network = live.run_context.network
        self.ids = live.run_context.ids(settings.layers)
        self.layers = {id: network.layer(id).map_shape[0] for id in self.ids}
        count = min(settings.count or len(data), len(data))
        self.parts = [range(start, min(start + PART, count)) for start in range(0, count, PART)]
        self.folder = DissectionFolder(folder, self._about(count))
        self.unreadable: set[int] = set()

    def _about(self, count: int) -> dict[str, Any]:
        """Returns what decides the results."""
        context = self.live.run_context
        content = "\n".join([*map(str, self.data.concept_table), *(self.data.state(k) for k in range(count))])
        return {
            "format": FORMAT,
            "network": context.network.name,
            "weights": self.live.fingerprint,
            "preprocessing": str(replace(self.live.subject.adapter.preprocessing, origins=())),
            "choice of ablated channels": str(self.live.spec.ablate),
            "data set name": self.data.name,
            "number of pictures": count,
            "content of the data set": hashlib.blake2b(content.encode(), digest_size=12).hexdigest(),
            "size of parts": PART,
            "layers": list(self.ids),
            "quantile": self.settings.quantile,
            "rotation": self.settings.rotation,
            "alignment": self.settings.alignment,
        }

    def run(self, progress: Progress, shard: tuple[int, int] = (1, 1)) -> str:
        """Runs what is missing of every shard[1]-th part, from the shard[0]-th on; returns what is left to do, or "".

        The second pass begins once the first one is done for all parts, those of other shards too.
        """
        own = range(shard[0] - 1, len(self.parts), shard[1])
        for number, kind in enumerate(KINDS):
            for done, part in enumerate(own):
                if not self.is_there(kind, part):
                    self.run_part(kind, part, _part_of(progress, kind, (number + done / len(own)) / 2, 0.5 / len(own)))
            if self.folder.count(kind) < len(self.parts):
                return LEFT[kind]
        return ""

    def is_there(self, kind: Kind, part: int) -> bool:
        """Returns whether the results of a part are there, undamaged."""
        if kind == "values":
            return self.folder.read_values(part, self.layers) is not None
        return self.folder.read_counts(part, self.layers, *self._label_sizes) is not None

    def run_part(self, kind: Kind, part: int, on_share: Callable[[float], object] = lambda share: None) -> None:
        """Runs a pass over a part of the pictures and writes its results; the second pass needs the thresholds."""
        rotation, alignment = self.settings.rotation, self.settings.alignment
        if kind == "values":
            values = self._pass(part, lambda c, i: collect_values(c, i, rotation, is_part=True), on_share)
            for layer, units in self.layers.items():
                values.layers.setdefault(layer, LayerValues.empty(units))  # of a part without a readable picture
            self.folder.write_values(part, values)
            return
        known = self.thresholds
        found = self._pass(part, lambda c, i: count_masks(c, i, known, rotation, alignment, is_part=True), on_share)
        self.folder.write_counts(part, found)

    def _pass(self, part: int, run: Pass, on_share: Callable[[float], object]) -> Any:
        return run_pass(self.live, self.ids, self.data, self.parts[part], run, on_share)

    @cached_property
    def thresholds(self) -> dict[str, np.ndarray]:
        """(U,) float32 by layer, once the first pass is done for all parts; another machine's may be set instead."""
        return {id: self._thresholds(self.values(id)) for id in self.ids}

    def results(self, rule: Any = "category") -> list[LayerDissection]:
        """Returns the results, once all parts are there. Raises InputError where no picture could be used."""
        found = []
        for id in self.ids:  # one after the other, since a large network's don't fit in memory together
            values, counts = self.values(id), self.counts(id)
            findings = find_concepts(counts, self.data.concept_table, rule)
            thresholds = self._thresholds(values)
            found.append(LayerDissection(id, thresholds, values.best, counts.unit_pixels, counts.pictures, findings))
        if len(self.unreadable) == sum(map(len, self.parts)):
            raise InputError(f"data set {self.data.name}: no picture can be used; the first: {self.data.failure(0)}")
        return found

    def values(self, layer: str) -> LayerValues:
        """Returns how large the values of a layer's units are, once the first pass is done for all parts."""
        merged, units = LayerValues.empty(self.layers[layer]), {layer: self.layers[layer]}
        for part in range(len(self.parts)):
            merged.add(self._checked("values", part, self.folder.read_values(part, units)).layers[layer])
        return merged

    def counts(self, layer: str) -> UnitCounts:
        """Returns the counts of a layer's units, once the second pass is done for all parts."""
        merged = UnitCounts.zero(self.layers[layer], *self._label_sizes)
        units = {layer: self.layers[layer]}
        for part in range(len(self.parts)):
            merged.add(
                self._checked("counts", part, self.folder.read_counts(part, units, *self._label_sizes)).layers[layer]
            )
        return merged

    def _thresholds(self, found: LayerValues) -> np.ndarray:
        """Returns (U,) float32: the values that units exceed at the wanted share of positions."""
        return found.histogram.quantile(1 - self.settings.quantile)

    @property
    def _label_sizes(self) -> tuple[int, int]:
        """Labels with that for none, and categories."""
        return len(self.data.concept_table) + 1, len(self.data.categories)

    def _checked(self, kind: str, part: int, result: PassResult[Result] | None) -> PassResult[Result]:
        """Returns a part's results, and notes what it couldn't read. Raises InputError for a damaged one."""
        if result is None:
            raise InputError(f"{self.folder.folder}: {kind} of part {part} are damaged; run it again")
        self.unreadable.update(result.unreadable)
        return result


def run_pass(
    live: LoadedModel,
    ids: Sequence[str],
    data: DataSet,
    indices: Sequence[int],
    run: Pass,
    on_share: Callable[[float], object],
) -> Any:
    """Runs a pass over pictures as a method of the network; returns its last result, all of which have a `share`."""
    last: list[Any] = []

    def steps(context: MethodContext, _: Any) -> Iterator[Step]:
        for result in run(context, indices):
            last[:] = [result]
            on_share(result.share)
            yield Step(0.0, "")

    method = Method("dissection", "Network Dissection", "", steps, needs="data")
    for _ in live.run_method(method, ids, None, data):
        pass
    return last[0]


def _part_of(progress: Progress, what: str, start: float, length: float) -> Callable[[float], object]:
    """Returns a function that reports the share of a part as one of the whole."""
    return lambda share: progress(what, start + length * share)
