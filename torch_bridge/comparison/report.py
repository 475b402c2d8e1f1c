"""Writes what a comparison found: tables of layers, concepts, units and similarities, a summary, and a page."""

from __future__ import annotations

import html
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..dissection.html_pages import fill_page
from ..dissection.parts import write_whole
from ..recording.csv_tables import records_text
from .network_summary import CONVERGED, converged_at
from .run import Comparison
from .unit_changes import NetworkPair

SUMMARY, PAGE, HALL = "summary.json", "report.html", "hall"
NOTE = (
    "Linear CKA is 1 for layers that hold the same up to a rotation and a scale of their units; the cosines compare "
    "unit by unit. Drift is 1 − cosine of a unit's weights, and 1 − rank correlation of its activations: 0 for no "
    "change. Units of one number have something in common only where one network has begun as the other; the unit most "
    "alike is that of the best pairs by correlation, wherever it is."
)


def write_comparison(folder: Path, about: Mapping[str, Any], comparison: Comparison, training: bool) -> dict[str, Any]:
    """Writes four tables, SUMMARY, PAGE and the recording HALL into a folder that exists; returns the summary.

    about: what the numbers depend on, as JSON values. training: whether the networks are checkpoints of a run. Raises
    OSError or RecordingError.
    """
    converged = converged_at(comparison.run) if training else None
    summary = {
        **about,
        "reference": comparison.reference,
        "left out": comparison.left_out,
        "remark": comparison.remark,
        **({"converged": converged} if training else {}),
        "networks": [network._asdict() for network in comparison.networks],
        "pairs": [_pair_summary(pair) for pair in comparison.pairs],
    }
    tables = {
        "layers": ({"network": n.label} | row for n in comparison.networks for row in n.layers),
        "concepts": ({"network": n.label} | row for n in comparison.networks for row in n.concepts),
        "units": (_names(pair) | row for pair in comparison.pairs for row in pair.units),
        "similarity": (row for pair in comparison.pairs for row in _similarity_rows(pair)),
    }
    for name, rows in tables.items():
        write_whole(folder / f"{name}.csv", [records_text(rows).encode()])
    write_whole(folder / SUMMARY, [json.dumps(summary, indent=1).encode()])
    write_whole(folder / PAGE, [_page(summary, comparison).encode()])
    comparison.hall.save(folder / HALL)
    return summary


def _names(pair: NetworkPair) -> dict[str, Any]:
    return {"before": pair.before, "after": pair.after}


def _pair_summary(pair: NetworkPair) -> dict[str, Any]:
    changes = Counter(row["change"] for row in pair.units if row["change"])
    return _names(pair) | {"units": len(pair.units), "changes": dict(sorted(changes.items()))}


def _similarity_rows(pair: NetworkPair) -> Iterable[dict[str, Any]]:
    for layer, values in zip(pair.layers, _plain(pair.similarity), strict=True):
        for other, value in zip(pair.other_layers, values, strict=True):
            yield _names(pair) | {"layer": layer, "other layer": other, "cka": value}


def _plain(matrix: np.ndarray) -> list[list[float | None]]:
    """A matrix as JSON values: None for NaN."""
    return [[None if math.isnan(value) else value for value in row] for row in matrix.tolist()]


def _page(summary: Mapping[str, Any], comparison: Comparison) -> str:
    pairs = [
        _names(pair)
        | {"layers": pair.layers, "other_layers": pair.other_layers, "units": pair.units}
        | {"similarity": _plain(pair.similarity)}
        for pair in comparison.pairs
    ]
    data = {"reference": comparison.reference, "networks": summary["networks"], "pairs": pairs}
    data |= {"converged": summary.get("converged"), "folders": comparison.folders}
    return fill_page(
        __package__,
        "comparison",
        summary["title"],
        data,
        about=html.escape(" ".join(_sentences(summary))),
        note=html.escape(NOTE),
    )


def _sentences(summary: Mapping[str, Any]) -> Sequence[str]:
    found = [f"Compared with “{summary['reference']}”, by {summary['probe']:,} pictures of {summary['data set name']}."]
    if summary["remark"]:
        found.append(f"{summary['remark'][:1].upper()}{summary['remark'][1:]}.")
    if "converged" in summary:
        found.append(f"A layer has converged once its CKA stays {CONVERGED:g} or above.")
    for pair in summary["pairs"]:
        if pair["changes"]:
            changes = ", ".join(f"{count:,} {change}" for change, count in pair["changes"].items())
            found.append(f"What units detect, {pair['before']} → {pair['after']}: {changes}.")
    return [*found, *(f"Left out: {line}" for line in summary["left out"])]
