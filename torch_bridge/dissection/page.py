"""The page of a dissection for browsers: summary and units, sortable and searchable, in one file without any other."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from .html_pages import fill_page

TEXTS, NUMBERS = ("concept", "category"), ("iou", "ceiling", "chance", "threshold")
"""Columns of the table of units."""


def page_of(summary: Mapping[str, Any], units: Sequence[Mapping[str, Any]]) -> str:
    """Returns the page as HTML in UTF-8."""
    data = {"layers": [layer["layer"] for layer in summary["layers"]], "units": [*map(dict, units)]}
    heads = [_head("layer"), _head("unit", "n"), *map(_head, TEXTS), *(_head(name, "n") for name in NUMBERS)]
    return fill_page(
        __package__,
        "page",
        f"Network Dissection of {summary['network']}",
        data,
        about=html.escape(_about(summary)),
        layers="".join(map(_layer_row, summary["layers"])),
        heads="".join(heads),
    )


def _head(column: str, kind: str = "") -> str:
    return f'<th class="{kind}"><button data-key="{column}">{column}</button></th>'


def _about(summary: Mapping[str, Any]) -> str:
    if "thresholds" in summary:
        return (
            f"{summary['number of pictures']:,} generated pictures; thresholds by {summary['thresholds']}; a unit with "
            f"an IoU of {summary['bar']:g} or more is a detector."
        )
    rotation = f", units rotated at random (seed {summary['rotation']})" if summary["rotation"] else ""
    return (
        f"{summary['number of pictures']:,} pictures of {summary['data set name']}; masks of {summary['quantile']:.2%} "
        f"of all positions{rotation}; a unit with an IoU of {summary['bar']:g} or more is a detector; "
        f"rule {summary['rule']}."
    )


def _layer_row(layer: Mapping[str, Any]) -> str:
    concepts = "; ".join(
        f"{category}: {', '.join(names)}" for category, names in layer["unique concepts"].items() if names
    )
    numbers = (layer["units"], layer["number of detectors"], layer["number of unique concepts"])
    cells = "".join(f"<td class=n>{number}</td>" for number in numbers)
    return f"<tr><td>{html.escape(layer['layer'])}</td>{cells}<td>{html.escape(concepts)}</td></tr>"
