"""Networks of several packages and kinds with random weights: whether what is recorded of them is right.

    python -m innerwalk.bench.networks [zoo glob] [name glob]

Of each network these are compared: recorded values with clones by plain forward hooks, bit for bit; a second recording,
after a plain forward pass, with the first; an input of a batch with the same input alone (`batch_comparison`); and
the edges with torch.fx where it sees the same. A network is uncertain if all are equal, but a panel's note has doubts.
Layers that say that all inputs share them have no value for one input: they are listed by name and not compared.
"""

from __future__ import annotations

import gc
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import torch
from torch import nn

from ..torch_bridge import Recording, record
from ..torch_bridge.capture.trace.run import DIFFERS
from .batch_comparison import BatchComparison, compare_batch, is_doubtful
from .oracle import Oracle, cloned_outputs, same_values
from .zoos.audio_zoo import audio_networks
from .zoos.candidate import INDEX, Built, Candidate, Zoo
from .zoos.graph_zoo import graph_networks
from .zoos.recurrent_zoo import recurrent_networks
from .zoos.timm_zoo import timm_networks
from .zoos.torchvision_zoo import torchvision_networks
from .zoos.transformers_zoo import transformers_networks
from .zoos.video_zoo import video_networks

ZOOS: dict[str, Zoo] = {
    "torchvision": torchvision_networks,
    "timm": timm_networks,
    "transformers": transformers_networks,
    "recurrent": recurrent_networks,
    "video": video_networks,
    "graph": graph_networks,
    "audio": audio_networks,
}


@dataclass
class Row:
    """Result for one network."""

    zoo: str
    name: str
    verdict: str
    """right, uncertain, wrong, or skipped if the network can't be had or doesn't run by itself."""
    reason: str = ""
    """Why it isn't right: its kind, a colon, and what was found."""
    layers: int = 0
    doubtful: int = 0
    """Number of layers whose notes have doubts."""
    mixing: tuple[str, ...] = ()
    """Layers that depend on the other inputs of a batch, by their notes."""
    following: tuple[str, ...] = ()
    """Layers after these that have another value where the input comes alone."""

    def __str__(self) -> str:
        shared = f"  {DIFFERS}: {', '.join(self.mixing)}" if self.mixing else ""
        shared += f"; {len(self.following)} after them differ" if self.following else ""
        counts = f"{self.layers:5d} layers {self.doubtful:3d} doubtful"
        return f"{self.zoo:12s} {self.name:52s} {counts}  {self.verdict:9s} {self.reason}{shared}"


def measure() -> dict[str, Any]:
    """Returns how many networks and layers of each zoo are right, and what is found of the others."""
    rows = main()
    found = {f"{row.zoo} {row.name}": f"{row.verdict}, {row.reason}" for row in rows if row.reason}
    shared = {f"{row.zoo} {row.name}, {DIFFERS}": ", ".join(row.mixing) for row in rows if row.mixing}
    return {**{zoo: _counts(rows, zoo) for zoo in ZOOS}, **found, **shared}


def _counts(rows: list[Row], zoo: str) -> dict[str, int]:
    own = [row for row in rows if row.zoo == zoo]
    verdicts = Counter(row.verdict for row in own)
    return {
        "tried": len(own) - verdicts["skipped"],
        **{verdict: verdicts[verdict] for verdict in ("right", "uncertain", "wrong", "skipped")},
        "layers": sum(row.layers for row in own),
        "doubtful layers": sum(row.doubtful for row in own),
        f"layers {DIFFERS}": sum(len(row.mixing) for row in own),
    }


def main(zoo_glob: str = "*", name_glob: str = "*") -> list[Row]:
    """Prints and returns a table of the networks whose zoo and name match the globs."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    warnings.simplefilter("ignore")  # of the packages
    rows = []
    for candidate in _candidates(zoo_glob, name_glob):
        row = candidate if isinstance(candidate, Row) else check(candidate)
        rows.append(row)
        print(row, flush=True)
        gc.collect()
    for zoo in dict.fromkeys(row.zoo for row in rows):
        print(zoo, _counts(rows, zoo))
    return rows


def _candidates(zoo_glob: str, name_glob: str) -> Iterator[Candidate | Row]:
    for zoo, networks in ZOOS.items():
        if fnmatchcase(zoo, zoo_glob):
            try:
                yield from (candidate for candidate in networks() if fnmatchcase(candidate.name, name_glob))
            except ImportError as error:
                yield Row(zoo, "*", "skipped", str(error))


def check(candidate: Candidate) -> Row:
    """Builds a network and compares what is recorded of it."""
    row = Row(candidate.zoo, candidate.name, "skipped")
    try:
        built = _build(candidate)
        for inputs in (built.alone, built.batch):
            if inputs is not None:
                _run(built.model, inputs)
        built = _build(candidate)  # anew: the first recording shall find nothing that another run has left
    except Exception as error:  # noqa: BLE001  any failure of another package is shown in the table
        row.reason = _line(error)
        return row
    try:
        recording = record(built.model, built.alone)
        found = _in_batch(built, recording)
        row.layers, row.doubtful = len(recording.network.layers), len(found.doubtful)
        row.mixing, row.following = tuple(found.mixing), tuple(found.following)
        wrong = next(iter((*found.wrong, *_differences(built, recording, candidate.traceable))), "")
        row.reason = wrong or _doubt(recording)
        row.verdict = "wrong" if wrong else "uncertain" if row.reason else "right"
    except Exception as error:  # noqa: BLE001  shown in the table
        row.verdict, row.reason = "wrong", f"error: {_line(error)}"
    return row


def _build(candidate: Candidate) -> Built:
    torch.manual_seed(0)
    return candidate.build()


def _run(model: nn.Module, inputs: Any) -> Any:
    with torch.no_grad():
        return model(**inputs) if isinstance(inputs, dict) else model(inputs)


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _in_batch(built: Built, alone: Recording) -> BatchComparison:
    if built.batch is None:
        return BatchComparison(doubtful=[layer.id for layer in alone.network.layers if is_doubtful(layer)])
    batched = record(built.model, built.batch, index=INDEX)
    return compare_batch(alone, batched, isinstance(built.batch, list))


def _differences(built: Built, recording: Recording, traceable: bool) -> Iterator[str]:
    """Yields what is wrong with the recording of one input."""
    model, inputs = built.model, built.alone
    truth = cloned_outputs(model, **inputs) if isinstance(inputs, dict) else cloned_outputs(model, inputs)
    yield from _against_hooks(recording, truth)
    again = record(model, inputs, layers=())
    if _graph(again) != _graph(recording):
        yield f"second: {_different_graphs(recording, again)}"
    if traceable:
        yield from _against_fx(model, inputs, recording)


def _against_hooks(recording: Recording, truth: dict[str, torch.Tensor]) -> Iterator[str]:
    for layer in recording.network.layers:
        if layer.id not in truth or 0 in layer.map_shape or "outputs" in layer.note:
            continue
        value, maps = truth[layer.id], recording.maps(layer.id).data
        if value.is_complex() or same_values(value, maps, layer.shape):
            continue
        if not np.array_equal(np.sort(value.float().numpy(), axis=None), np.sort(maps, axis=None), equal_nan=True):
            yield f"values: {layer.id} isn't what a hook sees, {tuple(value.shape)} as {layer.map_shape}"


def _graph(recording: Recording) -> tuple[Any, ...]:
    """Returns all of a graph but its notes, which depend on what is copied."""
    network = recording.network
    return tuple(replace(layer, note="") for layer in network.layers), network.edges


def _different_graphs(first: Recording, second: Recording) -> str:
    (a, a_edges), (b, b_edges) = _graph(first), _graph(second)
    changed = [x.id for x, y in zip(a, b, strict=False) if x != y]
    return f"{len(a)} and {len(b)} layers, {len(a_edges)} and {len(b_edges)} edges, {changed[:1]}"


def _against_fx(model: nn.Module, inputs: Any, recording: Recording) -> Iterator[str]:
    try:
        oracle = Oracle(model)
    except Exception:  # noqa: BLE001  fx can't trace it: nothing to compare
        return
    with torch.no_grad():
        oracle.run(inputs)
    found = oracle.contracted((edge.source, edge.target) for edge in recording.network.edges)
    if missing := oracle.edges() ^ found:
        yield f"edges: {len(missing)} differ from those of torch.fx, {sorted(missing)[0]}"


def _doubt(recording: Recording) -> str:
    """Returns the first panel whose note has doubts, and the note; "" if there is none."""
    for layer in recording.network.layers:
        if layer.role == "panel" and is_doubtful(layer):
            return f"note: {layer.id} {layer.note}"
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
