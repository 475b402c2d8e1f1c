"""`innerwalk dissect`: which concepts the units of a network detect, over a data set whose pixels are labelled."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..blender_addon.imaging.filenames import file_names
from ..torch_bridge.concepts import TASKS
from ..torch_bridge.data import open_data
from ..torch_bridge.dissection.report import PAGE, write_report
from ..torch_bridge.dissection.run import Dissection, DissectionSettings
from ..torch_bridge.models.device import choose_device
from ..torch_bridge.recording import Progress
from ..torch_bridge.recording.errors import InputError
from ..torch_bridge.server.in_process import denormals_restored
from ..torch_bridge.server.loaded_model import LoadedModel
from ..torch_bridge.server.priority_lock import PriorityLock
from ..torch_bridge.shipped_networks import own_data, shipped_name
from ..torch_bridge.subject import RecordSpec
from .dissection_farm.run_farm import Farm


def run_dissection(spec: RecordSpec, options: argparse.Namespace, progress: Progress) -> list[str]:
    """Runs a dissection or a shard of it, and writes the report once all is there; returns lines for people.

    Raises InputError, UnknownName or ModelError.
    """
    with Farm(options, sys.argv[1:]) as farm, denormals_restored():
        dissection = open_dissection(spec, options)
        farm.run(dissection, progress)
        left = dissection.run(progress, options.shard)
    if left:
        return [f"shard {options.shard[0]} of {options.shard[1]}: {left}"]
    results = dissection.results(options.rule)
    about = {**dissection.folder.about, "rule": options.rule}
    summary = write_report(options.output, about, results, file_names(dissection.ids), options.threshold)
    lines = [_table(summary)]
    if unreadable := sorted(dissection.unreadable):
        named = ", ".join(dissection.data.title(index) for index in unreadable[:3])
        more = ", …" if len(unreadable) > 3 else ""
        lines.append(f"left out {len(unreadable)}: {named}{more}; the first: {dissection.reason(unreadable[0])}")
    return [*lines, f"saved {options.output / PAGE}"]


def open_dissection(spec: RecordSpec, options: argparse.Namespace) -> Dissection:
    """Opens the data set and the network. Raises InputError, UnknownName or ModelError."""
    shipped = shipped_name(spec.model, spec.arguments)
    if options.data is None and shipped not in TASKS:
        raise InputError("name a data set whose pixels are labelled: --data concepts:object, or a folder with masks")
    name, where = options.data or (shipped, own_data(shipped))
    data = open_data(where, name)
    live = LoadedModel(spec.name or spec.model, spec, choose_device(options.device), PriorityLock())
    layers = tuple(options.layers or ("panels",))
    settings = DissectionSettings(layers, options.count, options.quantile, options.rotation, options.alignment)
    return Dissection(live, data, settings, options.output)


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
