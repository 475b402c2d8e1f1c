"""Dissects layers within one run of a method, or reads what `innerwalk dissect` has found for them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from ..data import random_indices
from ..data.labelled import LabelledData
from ..method_support.method import MethodContext, Step, parameter
from ..models.fingerprint import weights_fingerprint
from ..recording.errors import InputError
from ..recording.files import failure_text, parse_json, read_file, user_path
from ..statistics import TopK
from .findings import Rule, UnitFinding, find_concepts
from .passes import collect_values, count_masks
from .tables import read_table

SUMMARY = "summary.json"
"""Name of the summary in the folder of a dissection."""
MAX_SUMMARY = 64 << 20
"""Bytes of a summary."""
VALUES_SHARE = 0.45
"""Share of the first pass in the work of both."""


@dataclass(frozen=True)
class DissectionParameters:
    """Which pictures are looked at, and what counts as a detector."""

    count: int = parameter(1000, "Pictures of the data set to look at", 1, 10_000_000)
    quantile: float = parameter(0.005, "Share of positions at which a unit exceeds its threshold", 1e-6, 0.5)
    threshold: float = parameter(0.04, "IoU from which on a unit is a detector and gets a label", 0.0, 1.0)
    rule: Rule = parameter(
        "category", "Pixels of masks that count: on pictures with a label of the category under the mask, or all"
    )
    seed: int = parameter(0, "Seed that chooses the pictures", 0, 2**31 - 1)


class LayerFindings(NamedTuple):
    """What the units of a layer detect."""

    findings: list[UnitFinding]
    """In the order of the units."""
    thresholds: np.ndarray
    """(U,) float32."""
    best: TopK


class DissectedLayers(NamedTuple):
    """What the units of several layers detect."""

    layers: dict[str, LayerFindings]
    message: str
    """The pictures that were looked at, for people."""


def dissect_layers(
    context: MethodContext, parameters: DissectionParameters, share: float
) -> Generator[Step, None, DissectedLayers]:
    """Passes over the data set twice. share: of the whole work, 0..1, that this is.

    Raises ModelError, and InputError without a data set whose pixels are labelled.
    """
    data = context.data
    if not isinstance(data, LabelledData):
        raise InputError("dissection needs a data set whose pixels are labelled, such as concepts:object")
    indices = sorted(random_indices(data, min(parameters.count, len(data)), parameters.seed))
    for found in collect_values(context, indices):
        yield Step(share * VALUES_SHARE * found.share, f"values of {data.name}")
        values = found.layers
    thresholds = {layer: own.histogram.quantile(1 - parameters.quantile) for layer, own in values.items()}
    for counted in count_masks(context, indices, thresholds):
        done = VALUES_SHARE + (1 - VALUES_SHARE) * counted.share
        yield Step(share * done, f"masks and labels of {data.name}")
    unreadable = f"; {len(counted.unreadable)} can't be read" if counted.unreadable else ""
    layers = {}
    for layer in context.layers:
        findings = find_concepts(counted.layers[layer], data.concept_table, parameters.rule)
        layers[layer] = LayerFindings(findings, thresholds[layer], values[layer].best)
    return DissectedLayers(layers, f"{len(indices)} pictures of {data.name}{unreadable}")


def find_units(
    context: MethodContext, folder: str, parameters: DissectionParameters, share: float
) -> Generator[Step, None, dict[str, list[UnitFinding]]]:
    """Returns what the units of the requested layers detect, by layer.

    folder: of `innerwalk dissect`; "" to dissect now. Other arguments and errors as in `dissect_layers`.
    """
    if folder:
        counts = {layer: context.network.layer(layer).map_shape[0] for layer in context.layers}
        return read_findings(folder, counts, weights_fingerprint(context.model))
    dissected = yield from dissect_layers(context, parameters, share)
    return {layer: own.findings for layer, own in dissected.layers.items()}


def read_findings(folder: str, layers: Mapping[str, int], weights: str = "") -> dict[str, list[UnitFinding]]:
    """Reads the tables of some layers from the folder of a dissection; units in their order.

    layers: number of units by layer. weights: their fingerprint, which the folder's must equal, if both are known.
    Raises InputError for a folder of another network, or of rotated units, or without these layers.
    """
    path, tables, found = user_path(folder), dissected_tables(folder, layers, weights), {}
    for layer, units in layers.items():
        name = tables[layer]
        found[layer] = sorted(read_table(path / name), key=lambda finding: finding.unit)
        if [finding.unit for finding in found[layer]] != list(range(units)):
            raise InputError(f"{path / name}: {len(found[layer])} units, but {layer} has {units}: of another network")
    return found


def dissected_tables(folder: str, layers: Iterable[str], weights: str = "") -> dict[str, str]:
    """Returns the file name of each layer's table in the folder of a dissection; otherwise as `read_findings`."""
    path = user_path(folder)
    try:
        document = parse_json(read_file(path / SUMMARY, MAX_SUMMARY))
        tables = {str(entry["layer"]): str(entry["table"]) for entry in document["layers"]}
    except OSError as error:
        raise InputError(f"{path}: {failure_text(error)}; name a folder that innerwalk dissect has finished") from None
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{path / SUMMARY}: no summary of innerwalk dissect; dissect again") from None
    if weights and document.get("weights", weights) != weights:
        raise InputError(f"{path}: a dissection of other weights, whose units detect other concepts; dissect these")
    if document.get("rotation"):
        raise InputError(f"{path}: a dissection of rotated units, which the network doesn't have; dissect without")
    for layer in layers:
        if layer not in tables or PurePath(tables[layer]).name != tables[layer]:
            raise InputError(f"{path}: layer {layer} isn't dissected there; {', '.join(list(tables)[:5])} are")
    return {layer: tables[layer] for layer in layers}
