"""`innerwalk gan_dissect`: which concepts units of a generator paint, which units cause them, and artefact units."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ...blender_addon.imaging.filenames import file_name, file_names
from ...blender_addon.imaging.png import encode_8bit
from ...torch_bridge.capture.guard import RUN_LOCK, evaluation_mode
from ...torch_bridge.capture.layer_paths import layer_paths
from ...torch_bridge.dissection.parts import write_whole
from ...torch_bridge.dissection.report import PAGE, write_report
from ...torch_bridge.dissection.run import LayerDissection
from ...torch_bridge.gan_dissection import artefact_votes, interventions
from ...torch_bridge.gan_dissection.generator_layer import GeneratorLayer, convolution_layers
from ...torch_bridge.gan_dissection.intervention_sheets import difference, intervention_sheet, sheet
from ...torch_bridge.gan_dissection.segmenters import NetworkSegmenter, find_reader
from ...torch_bridge.gan_dissection.unit_concepts import GeneratorDissection, dissect_units
from ...torch_bridge.models.device import choose_device
from ...torch_bridge.recording import Progress
from ...torch_bridge.recording.errors import InputError
from ...torch_bridge.server.config import parse_models, parse_specs
from ...torch_bridge.server.in_process import denormals_restored
from ...torch_bridge.server.loaded_model import LoadedModel
from ...torch_bridge.server.priority_lock import PriorityLock
from ...torch_bridge.shipped_networks import shipped_name
from ...torch_bridge.subject import RecordSpec, Subject, prepare

SETS, ARTEFACTS = "sets.json", "artefacts.json"


class _Work(NamedTuple):
    """A generator that is looked at, and who reads its pictures."""

    live: LoadedModel
    segmenter: Subject | None
    options: argparse.Namespace
    progress: Progress


def run_gan_dissection(spec: RecordSpec, options: argparse.Namespace, progress: Progress) -> list[str]:
    """Dissects a generator and writes what it finds into a folder; returns lines for people.

    Raises InputError, UnknownName or ModelError.
    """
    with denormals_restored():
        progress(f"loading {spec.model}", 0.0)
        live = LoadedModel(spec.name or spec.model, spec, choose_device(options.device), PriorityLock())
        live.record(live.read(live.default_sources), (), lambda maps: None)
        work = _Work(live, _segmenter(spec, options), options, progress)
        known = convolution_layers(live.run_context.network)
        layers = [id for id in live.run_context.ids(options.layers) if id in known] if options.layers else known
        if not layers:
            raise InputError(
                f"{', '.join(options.layers)}: no maps with rows and columns; there are {', '.join(known)}"
            )
        options.output.mkdir(parents=True, exist_ok=True)
        with RUN_LOCK, evaluation_mode(list(layer_paths(live.model))):
            return _dissect(work, layers)


def _segmenter(spec: RecordSpec, options: argparse.Namespace) -> Subject | None:
    """Returns the segmenter that is named, or that of the shipped generator; None for none."""
    text = options.segmenter
    if not text:
        text = "segmenter" if shipped_name(spec.model, spec.arguments) == "generator" else ""
    if not text:
        return None
    ((name, (model, weights)),) = parse_models([text]).items()
    values = {"model": model, **({"weights": weights} if weights else {})}
    return prepare(parse_specs({name: values}, options.folder, trust=True)[name])


def _dissect(work: _Work, layers: Sequence[str]) -> list[str]:
    options, names = work.options, file_names(layers)
    found, sets, artefacts, lines = list[LayerDissection](), list[dict[str, Any]](), dict[str, Any](), list[str]()
    code = work.live.method_context(work.live.run_context, layers, None, ()).arguments
    for number, layer in enumerate(layers):
        generator = GeneratorLayer(work.live.model, layer, code, work.live.run_context.network.name)
        codes = generator.codes(options.count, options.seed)
        if options.votes is None or options.concepts:
            dissected = _units(work, generator, codes, number / len(layers), 1 / len(layers))
            found.append(_as_layer(dissected))
            for concept in options.concepts:
                entry = _concept_set(
                    work, generator, dissected, concept, options.output / f"{names[layer]}-{file_name(concept)}.png"
                )
                sets.append(entry)
                lines.append(_set_line(entry))
        if options.votes is not None:
            artefacts[layer] = _artefacts(options, generator, options.output / f"{names[layer]}-artefacts.png")
            lines.append(f"{layer}: artefact units {', '.join(map(str, artefacts[layer]))}")
    if found:
        about = {"network": work.live.run_context.network.name, "weights": work.live.fingerprint}
        about |= {"number of pictures": options.count, "thresholds": options.thresholds, "seed": options.seed}
        summary = write_report(options.output, about, found, names, options.threshold)
        lines = [*_summary_lines(summary), *lines]
    for name, content in ((SETS, sets), (ARTEFACTS, artefacts)):
        if content:
            write_whole(options.output / name, [json.dumps(content, indent=1).encode()])
    return [*lines, f"saved {options.output / (PAGE if found else ARTEFACTS)}"]


def _units(
    work: _Work, generator: GeneratorLayer, codes: torch.Tensor, start: float, length: float
) -> GeneratorDissection:
    networks = {"segmenter": work.segmenter} if work.options.segmenter else {}
    reader = find_reader("segmenter" if networks else "", networks, generator, work.live.device)
    for found in dissect_units(generator, reader, codes, work.options.thresholds, work.options.quantile):
        if isinstance(found, GeneratorDissection):
            return found
        work.progress(generator.layer, start + length * found)
    raise AssertionError("a dissection ends with its result")


def _as_layer(found: GeneratorDissection) -> LayerDissection:
    return LayerDissection(found.layer, found.thresholds, found.best, found.unit_pixels, found.pictures, found.findings)


def _concept_set(
    work: _Work, generator: GeneratorLayer, dissected: GeneratorDissection, concept: str, file: Path
) -> dict[str, Any]:
    """Finds the units that cause a concept, measures what they do, and writes a sheet of pictures."""
    options = work.options
    if work.segmenter is None:
        raise InputError(
            f"--concept {concept}: changed pictures need a segmenter; name one by --segmenter MODEL=WEIGHTS"
        )
    codes = generator.codes(options.count, options.seed + 1)
    segmenter = NetworkSegmenter(work.segmenter, generator.maps_and_pictures(codes[:2])[1], work.live.device)
    known = interventions.ConceptCodes(generator, segmenter, concept, codes)
    names = [own.name for own in dissected.concepts]
    if concept not in names:
        raise InputError(f"--concept {concept}: the dissection knows {', '.join(names[:12])}")
    levels = torch.from_numpy(dissected.levels[:, names.index(concept)])
    alpha = torch.zeros(generator.units)
    for found in interventions.rank_units(generator, segmenter, known, levels, options.seed):
        if isinstance(found, torch.Tensor):
            alpha = found
        else:
            work.progress(f"units of {generator.layer} for {concept}", found)
    units = alpha.argsort(descending=True, stable=True)[: options.top].tolist()
    effect = interventions.measure_effect(generator, segmenter, known, concept, units, levels)
    write_whole(file, [png_of(intervention_sheet(generator, known, units, levels))])
    shares = [round(float(alpha[unit]), 4) for unit in units]
    numbers = {"effect": effect.effect, "removed": effect.removed, "inserted": effect.inserted}
    return {"layer": generator.layer, "concept": concept, "units": units, "alpha": shares} | numbers


def png_of(page: np.ndarray) -> bytes:
    """Returns a page (H, W, 3) uint8 sRGB as a PNG file."""
    return encode_8bit(page.astype(np.float32) / 255)


def _set_line(entry: dict[str, Any]) -> str:
    units = ",".join(map(str, sorted(entry["units"])))
    return (
        f"{entry['layer']}: {entry['concept']} by units {units}; effect {entry['effect']:.2f}, removed "
        f"{entry['removed']:.0%}, inserted {entry['inserted']:.0%}"
    )


def _artefacts(options: argparse.Namespace, generator: GeneratorLayer, file: Path) -> list[int]:
    """Ranks units by votes about the pictures of seeds, and writes these pictures before and after they are 0."""
    votes = artefact_votes.read_votes(options.votes)
    codes = generator.codes_of(votes)
    maps, before = generator.maps_and_pictures(codes)
    units = artefact_votes.artefact_units(maps, votes, options.top)
    worst = np.argsort([-share for share in votes.values()], kind="stable")[:8]
    with torch.no_grad():
        after = generator.changed(codes[worst], interventions.ablation(units))
    page = sheet([before[worst], after, difference(before[worst], after)])
    write_whole(file, [png_of(page)])
    return units


def _summary_lines(summary: dict[str, Any]) -> list[str]:
    width = max(len(layer["layer"]) for layer in summary["layers"])
    lines = [f"{'layer':<{width}}  units  detectors  unique  concepts"]
    for layer in summary["layers"]:
        names = ", ".join(name for found in layer["unique concepts"].values() for name in found)
        counts = f"{layer['units']:>5}  {layer['number of detectors']:>9}  {layer['number of unique concepts']:>6}"
        lines.append(f"{layer['layer']:<{width}}  {counts}  {names if len(names) <= 60 else f'{names[:57]}...'}")
    return lines
