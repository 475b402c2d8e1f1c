"""Writes what a dissection found: a table of units for each layer, a summary as JSON, and a page for browsers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .findings import BAR, count_detectors, unique_concepts
from .page import page_of
from .parts import write_whole
from .run import LayerDissection
from .single_run import SUMMARY
from .tables import write_table

PAGE = "report.html"


def write_report(
    folder: Path,
    about: Mapping[str, Any],
    layers: Sequence[LayerDissection],
    names: Mapping[str, str],
    bar: float = BAR,
    vectors: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> dict[str, Any]:
    """Writes LAYER.csv for each layer, SUMMARY and PAGE into a folder; returns the summary.

    names: file name by layer, without its suffix. vectors: by layer a row for each concept that units combine to, as
    `score_rows` returns them. Raises OSError.
    """
    summary = {**about, "bar": bar, "layers": [_layer_summary(layer, bar, names) for layer in layers]}
    for entry in summary["layers"]:
        if vectors and entry["layer"] in vectors:
            entry["concept vectors"] = list(vectors[entry["layer"]])
    for layer in layers:
        write_whole(folder / f"{names[layer.layer]}.csv", [write_table(layer.findings).encode()])
    write_whole(folder / SUMMARY, [json.dumps(summary, indent=1).encode()])
    write_whole(folder / PAGE, [page_of(summary, _unit_rows(layers, bar)).encode()])
    return summary


def _layer_summary(layer: LayerDissection, bar: float, names: Mapping[str, str]) -> dict[str, Any]:
    unique = unique_concepts(layer.findings, bar)
    return {
        "layer": layer.layer,
        "table": f"{names[layer.layer]}.csv",
        "units": len(layer.findings),
        "silent units": int((layer.unit_pixels == 0).sum()),
        "detectors": count_detectors(layer.findings, bar),
        "unique concepts": unique,
        "number of detectors": sum(count_detectors(layer.findings, bar).values()),
        "number of unique concepts": sum(map(len, unique.values())),
        "pictures": layer.pictures,
    }


def _unit_rows(layers: Sequence[LayerDissection], bar: float) -> list[dict[str, Any]]:
    """Returns a row for each unit, for the page."""
    rows = []
    for layer in layers:
        for finding, threshold in zip(layer.findings, layer.thresholds.tolist(), strict=True):
            best = finding.best
            row = {"layer": layer.layer, "unit": finding.unit, "concept": best.concept, "category": finding.category}
            row |= {"iou": best.iou, "ceiling": best.ceiling, "chance": best.chance, "threshold": threshold}
            rows.append(row | {"detector": finding.is_detector(bar)})
    return rows
