"""The page of a dissection for browsers: summary and units, sortable and searchable, in one file without any other."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from .html_pages import fill_page

TEXTS, NUMBERS = ("concept", "category"), ("iou", "ceiling", "chance", "threshold")
"""Columns of the table of units."""
COMPARED = ("single train", "single val", "top val", "combination train", "combination val", "probe")
"""Numbers of each concept that units combine to."""
VECTORS = """\
<h2>Concepts</h2>
<p class="note">How well a concept's pixels are covered by the best unit alone (single), by a few units (top) and by
all of them (combination), each with a weight (Net2Vec): IoU on pictures that show the concept, those learnt from
(train) and others (val). probe: how often units tell rightly whether a picture shows it, .5 by chance.</p>
<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>
"""


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
        vectors=_vector_section(summary),
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


def _vector_section(summary: Mapping[str, Any]) -> str:
    """Returns the section on concepts that units combine to; "" without vectors."""
    rows = [(layer["layer"], row) for layer in summary["layers"] for row in layer.get("concept vectors", ())]
    if not rows:
        return ""
    heads = ("layer", "concept", "category", "best unit", *COMPARED)
    return VECTORS.format(
        heads="".join(f"<th{' class=n' * (place > 2)}>{name}</th>" for place, name in enumerate(heads)),
        rows="".join(_vector_row(layer, row) for layer, row in rows),
    )


def _vector_row(layer: str, row: Mapping[str, Any]) -> str:
    texts = "".join(f"<td>{html.escape(text)}</td>" for text in (layer, row["concept"], row["category"]))
    shares = ("" if row[name] is None else f"{row[name]:.3f}" for name in COMPARED)
    numbers = "".join(f"<td class=n>{number}</td>" for number in (row["unit"], *shares))
    return f"<tr>{texts}{numbers}</tr>"
