"""What a comparison found as charts, and the recording whose hall shows them on boards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..dissection.concept_units import category_names, category_numbers
from ..recording import ACTIVATIONS, CATEGORY, Maps, Recording
from ..recording.charts import MOST_LINES, Chart, ChartKind, fitted_chart, spread_places
from .measured_network import MeasuredNetwork
from .network_summary import NetworkSummary
from .unit_changes import NetworkPair

SHOWN = 8
"""Layers of a matrix, spread evenly over all of them, and most bars: as many as can be read on a board."""


def comparison_charts(
    networks: Sequence[NetworkSummary], pair: NetworkPair, reference: str, categories: Sequence[str], training: bool
) -> tuple[Chart, ...]:
    """Returns a matrix of CKA; of a run also lines of convergence and detectors by checkpoint, else those by layer.

    networks: in order; of a run the checkpoints up to the reference, with which all are compared. categories: of the
    concepts, () where the pictures have no labels.
    """
    matrix = _similarity_chart(pair)
    if training:
        detectors = [_checkpoint_detectors(networks, categories)] if categories else []
        return (_convergence_chart(networks, reference), matrix, *detectors)
    return (matrix, *(_layer_detectors(network, categories) for network in networks[:2] if categories))


def _similarity_chart(pair: NetworkPair) -> Chart:
    rows, columns = (spread_places(len(layers), SHOWN) for layers in (pair.layers, pair.other_layers))
    return fitted_chart(
        "matrix",
        f"CKA of {pair.before} and {pair.after}",
        [pair.layers[row] for row in rows],
        [pair.other_layers[column] for column in columns],
        pair.similarity[np.ix_(rows, columns)],
        row_axis=f"{_some(rows, pair.layers)} of {pair.before}",
        series_axis=f"{_some(columns, pair.other_layers)} of {pair.after}",
        value_axis="linear CKA",
    )


def _convergence_chart(networks: Sequence[NetworkSummary], reference: str) -> Chart:
    layers = [row["layer"] for row in networks[-1].layers]
    shown = spread_places(len(layers), MOST_LINES)
    alike = [{row["layer"]: row["cka"] for row in network.layers} for network in networks]
    values = [[own.get(layers[place]) or 0.0 for place in shown] for own in alike]
    return fitted_chart(
        "lines",
        f"CKA with {reference}",
        [network.label for network in networks],
        [layers[place] for place in shown],
        np.array(values),
        row_axis="checkpoint",
        value_axis=f"linear CKA of {_some(shown, layers)}",
    )


def _checkpoint_detectors(networks: Sequence[NetworkSummary], categories: Sequence[str]) -> Chart:
    found = [{(row["category"], row["concept"]) for row in network.concepts} for network in networks]
    counts = [[sum(own == category for own, _ in concepts) for category in categories] for concepts in found]
    return _detectors([network.label for network in networks], categories, counts, "unique detectors", "checkpoint")


def _layer_detectors(network: NetworkSummary, categories: Sequence[str]) -> Chart:
    layers = [row["layer"] for row in network.layers]
    found = [(row["layer"], row["category"]) for row in network.concepts]  # a row is a concept of a layer
    counts = [[found.count((layer, category)) for category in categories] for layer in layers]
    return _detectors(layers, categories, counts, f"unique detectors of {network.label}", "layer")


def _detectors(
    rows: Sequence[str], categories: Sequence[str], counts: Sequence[Sequence[int]], title: str, row_axis: str
) -> Chart:
    kind: ChartKind = "bars" if len(rows) <= SHOWN else "lines"
    about = {"row_axis": row_axis, "value_axis": "different concepts", "series_axis": CATEGORY}
    return fitted_chart(kind, title, rows, categories, np.array(counts), **about)


def _some(shown: Sequence[int], layers: Sequence[str]) -> str:
    return f"{len(shown)} of {len(layers)} layers" if len(shown) < len(layers) else "layers"


def add_comparison(
    recording: Recording, reference: MeasuredNetwork, pair: NetworkPair, charts: tuple[Chart, ...]
) -> None:
    """Adds charts to a recording's activations, and to each channel what it detects, or how that has changed."""
    changes = {(row["layer"], row["unit"]): row for row in pair.units}
    for (layer, method), maps in list(recording.all_maps.items()):
        if method == ACTIVATIONS:
            labelled = replace(maps, charts=charts)
            if len(reference.findings.get(layer, ())) == maps.channels:
                labelled = _labelled(labelled, reference, changes)
            recording.add([labelled])


def _labelled(maps: Maps, reference: MeasuredNetwork, changes: dict[tuple[str, int], dict[str, Any]]) -> Maps:
    findings = reference.findings[maps.layer]
    labels = [_label(reference, maps.layer, unit, changes.get((maps.layer, unit))) for unit in range(maps.channels)]
    extras = {**maps.extras, CATEGORY: category_numbers(findings, reference.bar)}
    return replace(maps, labels=tuple(labels), extras=extras)


def _label(reference: MeasuredNetwork, layer: str, unit: int, change: dict[str, Any] | None) -> str:
    """Returns what a unit of the reference detects, and what it does in the other network, if that is something else.

    "ring .14" for the same in both, "+ ring .14" if only the reference's unit detects something, "circle → ring" from
    the earlier to the later network; "" for no detector.
    """
    concept, iou = reference.detected(layer, unit)
    short = f"{concept} {iou:.2f}".replace(" 0.", " .") if concept else ""
    if change is None or change["change"] in ("", "kept"):
        return short
    before, after = change["concept before"], change["concept after"]
    return f"+ {short}" if concept == after and not before else f"{before or 'none'} → {after or 'none'}"


def categories_of(network: MeasuredNetwork) -> tuple[str, ...]:
    """Returns the categories of the concepts that its units were compared with; () for none."""
    return next((category_names(findings) for findings in network.findings.values() if findings), ())
