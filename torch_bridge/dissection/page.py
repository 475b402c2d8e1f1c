"""The page of a dissection for browsers: summary and units, sortable and searchable, in one file without any other.

All texts come from networks and data sets of strangers: they are escaped, the data stand as JSON in an element that
browsers don't run, and a content security policy allows this page's own script and style only.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any

TEXTS, NUMBERS = ("concept", "category"), ("iou", "ceiling", "chance", "threshold")
"""Columns of the table of units."""


def page_of(summary: Mapping[str, Any], units: Sequence[Mapping[str, Any]]) -> str:
    """Returns the page as HTML in UTF-8."""
    data = {"layers": [layer["layer"] for layer in summary["layers"]], "units": [*map(dict, units)]}
    template, style, script = (_resource(f"page.{kind}") for kind in ("html", "css", "js"))
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    heads = [_head("layer"), _head("unit", "n"), *map(_head, TEXTS), *(_head(name, "n") for name in NUMBERS)]
    return Template(template).substitute(
        policy=policy,
        title=html.escape(f"Network Dissection of {summary['network']}"),
        style=style,
        about=html.escape(_about(summary)),
        layers="".join(map(_layer_row, summary["layers"])),
        heads="".join(heads),
        data=html.escape(json.dumps(data), quote=False),
        script=script,
    )


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _head(column: str, kind: str = "") -> str:
    return f'<th class="{kind}"><button data-key="{column}">{column}</button></th>'


def _about(summary: Mapping[str, Any]) -> str:
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
