"""`innerwalk dissect`: which concepts the units of a network detect, over a data set whose pixels are labelled."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..blender_addon.imaging.filenames import file_names
from ..torch_bridge.concepts import TASKS
from ..torch_bridge.data import open_data
from ..torch_bridge.data.labelled import LabelledData
from ..torch_bridge.directions.vector_files import score_rows, write_vectors
from ..torch_bridge.directions.vector_run import learn_vectors
from ..torch_bridge.directions.vector_training import VectorSettings
from ..torch_bridge.dissection.report import PAGE, write_report
from ..torch_bridge.dissection.run import Dissection, DissectionSettings, run_pass
from ..torch_bridge.models.device import choose_device
from ..torch_bridge.recording import Progress
from ..torch_bridge.recording.errors import InputError
from ..torch_bridge.server.in_process import denormals_restored
from ..torch_bridge.server.loaded_model import LoadedModel
from ..torch_bridge.server.priority_lock import PriorityLock
from ..torch_bridge.shipped_networks import own_data, shipped_name
from ..torch_bridge.subject import RecordSpec
from .dissection_farm.run_farm import Farm
from .interrupt import kept_in


def run_dissection(spec: RecordSpec, options: argparse.Namespace, progress: Progress) -> list[str]:
    """Runs a dissection or a shard of it, and writes the report once all is there; returns lines for people.

    Raises InputError, UnknownName or ModelError.
    """
    with Farm(options, sys.argv[1:]) as farm, denormals_restored():
        dissection = open_dissection(spec, options)
        with kept_in(options.output):
            farm.run(dissection, progress)
            left = dissection.run(progress, options.shard)
    if left:
        return [f"shard {options.shard[0]} of {options.shard[1]}: {left}"]
    results = dissection.results(options.rule)
    about, names = {**dissection.folder.about, "rule": options.rule}, file_names(dissection.ids)
    vectors = _learn_vectors(dissection, options.output, names, progress) if options.vectors else {}
    summary = write_report(options.output, about, results, names, options.threshold, vectors)
    lines = [_table(summary), *_vector_lines(vectors)]
    lines += describe_left_out(dissection.data, sorted(dissection.unreadable))
    return [*lines, f"saved {options.output / PAGE}"]


def describe_left_out(data: LabelledData, unreadable: Sequence[int]) -> list[str]:
    """Returns a line about pictures that were left out, and why the first one was; none where there are none."""
    if not unreadable:
        return []
    named = ", ".join(data.title(index) for index in unreadable[:3]) + (" …" if len(unreadable) > 3 else "")
    count = f"{len(unreadable):,} pictures were" if len(unreadable) > 1 else "1 picture was"
    return [f"{count} left out: {named} (the first: {data.failure(unreadable[0])})"]


def open_dissection(spec: RecordSpec, options: argparse.Namespace) -> Dissection:
    """Opens the data set and the network. Raises InputError, UnknownName or ModelError."""
    shipped = shipped_name(spec.model, spec.arguments)
    if options.data is None and shipped not in TASKS:
        raise InputError("name a data set whose pixels are labelled: --data concepts:object, or a folder with masks")
    name, where = options.data or (shipped, own_data(shipped))
    data = open_data(where, name)
    live = LoadedModel(spec.name or spec.model, spec, choose_device(options.device), PriorityLock())
    if options.vectors and (options.rotation or options.alignment != "even"):
        raise InputError("--vectors is about units as they are, spread evenly: leave out --rotation and --alignment")
    layers = tuple(options.layers or ("panels",))
    settings = DissectionSettings(layers, options.count, options.quantile, options.rotation, options.alignment)
    return Dissection(live, data, settings, options.output)


def _learn_vectors(
    dissection: Dissection, folder: Path, names: Mapping[str, str], progress: Progress
) -> dict[str, list[dict[str, Any]]]:
    """Learns and writes the concept vectors of all layers; returns by layer a row for each concept."""
    pictures = range(sum(map(len, dissection.parts)))
    result = run_pass(
        dissection.live,
        dissection.ids,
        dissection.data,
        pictures,
        lambda context, indices: learn_vectors(context, indices, dissection.thresholds, VectorSettings()),
        lambda share: progress("concept vectors", share),
    )
    for layer, vectors in result.layers.items():
        write_vectors(folder, names[layer], vectors)
    return {layer: score_rows(vectors) for layer, vectors in result.layers.items()}


def _vector_lines(vectors: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Returns a line for each layer: how well its best units and their combinations cover concepts, on average."""
    lines = []
    for layer, rows in vectors.items():
        alone, together = (np.mean([row[f"{kind} val"] for row in rows]) for kind in ("single", "combination"))
        lines.append(
            f"{layer}: {len(rows)} concepts, mean IoU {alone:.3f} by the best unit, {together:.3f} by all units"
        )
    return lines


def _table(summary: dict[str, Any]) -> str:
    """Returns a line for each layer: units, detectors, different concepts."""
    width = max(len(layer["layer"]) for layer in summary["layers"])
    lines = [f"{'layer':<{width}}  units  detectors  unique  concepts"]
    for layer in summary["layers"]:
        names = ", ".join(name for found in layer["unique concepts"].values() for name in found)
        short = names if len(names) <= 60 else f"{names[:57]}..."
        counts = f"{layer['units']:>5}  {layer['number of detectors']:>9}  {layer['number of unique concepts']:>6}"
        lines.append(f"{layer['layer']:<{width}}  {counts}  {short}")
    return "\n".join(lines)
