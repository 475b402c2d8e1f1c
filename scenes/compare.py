"""`innerwalk compare`: networks, or the checkpoints of one, by what their layers give and what their units detect."""

from __future__ import annotations

import argparse
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..blender_addon.imaging.filenames import file_names
from ..torch_bridge.comparison.network_summary import NetworkSummary
from ..torch_bridge.comparison.report import HALL, PAGE, write_comparison
from ..torch_bridge.comparison.run import ComparisonSettings, NetworkComparer, NetworkState
from ..torch_bridge.data import open_data
from ..torch_bridge.dissection.run import DissectionSettings
from ..torch_bridge.models.checkpoint_files import find_checkpoints
from ..torch_bridge.models.device import choose_device
from ..torch_bridge.recording import Progress
from ..torch_bridge.recording.errors import InputError
from ..torch_bridge.server.config import ServeConfig, serve_config
from ..torch_bridge.server.in_process import denormals_restored
from ..torch_bridge.subject import RecordSpec


def run_comparison(options: argparse.Namespace, progress: Progress) -> list[str]:
    """Compares networks and writes the report; returns lines for people.

    Raises InputError, UnknownName or ModelError.
    """
    config = serve_config(options.models, options.networks, folder=options.folder, trust=options.trust)
    states = _states(config, options)
    name, where = options.data or ("", next(iter(config.data.values()), ""))
    if not where:
        raise InputError("name pictures to compare by: --data concepts:object, or a folder")
    data = open_data(where, name)
    layers = tuple(options.layers or ("panels",))
    settings = ComparisonSettings(
        DissectionSettings(layers, options.count, options.quantile), options.probe, bar=options.threshold
    )
    comparer = NetworkComparer(data, settings, options.output, choose_device(options.device), file_names)
    with denormals_restored():
        run = comparer.compare_checkpoints if options.checkpoints else comparer.compare_networks
        comparison = run(states, progress)
    title = (
        f"Training of {next(iter(config.networks))}"
        if options.checkpoints
        else " and ".join(network.label for network in comparison.networks)
    )
    about = {
        "title": title,
        "data set name": data.name,
        "probe": min(options.probe, len(data)),
        "layers": list(layers),
        "quantile": options.quantile,
        "bar": options.threshold,
    }
    write_comparison(options.output, about, comparison, training=bool(options.checkpoints))
    warnings = [f"{'warning':<14} left out {line}" for line in comparison.left_out]
    remarks = [f"{'note':<14} {comparison.remark}"] if comparison.remark else []
    next_ = f"innerwalk scene {shlex.quote(str(options.output / HALL))} -o hall.blend"
    saved = f"{'saved':<14} {options.output / PAGE}; next: {next_}"
    return [_table(comparison.networks), *warnings, *remarks, saved]


def _states(config: ServeConfig, options: argparse.Namespace) -> list[NetworkState]:
    """The networks to compare. Raises InputError."""
    if options.checkpoints is None:
        return [NetworkState(label, spec) for label, spec in _by_label(config.networks).items()]
    if len(config.networks) > 1:
        raise InputError("--checkpoints are of one network; name one MODEL")
    if any("=" in model for model in options.models):
        raise InputError("--checkpoints brings the weights; name MODEL without them")
    [spec] = config.networks.values()
    training = find_checkpoints(options.checkpoints)
    return [
        NetworkState(label, replace(spec, weights=str(path)), label not in training.unnumbered)
        for label, path in training.checkpoints
    ]


def _by_label(networks: Mapping[str, RecordSpec]) -> dict[str, RecordSpec]:
    """Networks by name; those of one model by their weights files, where these have names of their own."""
    models = Counter(spec.model for spec in networks.values())
    stems = {name: Path(spec.weights or name).stem for name, spec in networks.items() if models[spec.model] > 1}
    if len({*stems.values()}) < len(stems):
        return dict(networks)
    return {stems.get(name, name): spec for name, spec in networks.items()}


def _table(networks: Sequence[NetworkSummary]) -> str:
    """Returns a line for each network: its units, and how its layers are like those of the reference on average."""
    width = max(len("network"), *(len(network.label) for network in networks))
    lines = [f"{'network':<{width}}  parameters  units  dead  detectors  unique concepts  mean CKA"]
    for label, parameters, layers, concepts in networks:
        units, dead = (sum(row[name] for row in layers) for name in ("units", "dead units"))
        known = layers[0]["detectors"] is not None
        detectors = str(sum(row["units"] for row in concepts)) if known else "-"
        unique = str(len({(row["category"], row["concept"]) for row in concepts})) if known else "-"
        alike = [row["cka"] for row in layers if row["cka"] is not None]
        mean = f"{sum(alike) / len(alike):.3f}" if 2 * len(alike) > len(layers) else "-"  # few share a name by chance
        lines.append(
            f"{label:<{width}}  {parameters:>10,}  {units:>5}  {dead:>4}  {detectors:>9}  {unique:>15}  {mean:>8}"
        )
    return "\n".join(lines)
