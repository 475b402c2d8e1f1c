"""The page of a study for browsers, in one file without any other."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..dissection.html_pages import fill_page
from .strategies import STRATEGIES

Rows = Sequence[Mapping[str, Any]]
Tables = Mapping[str, Rows]
NOTE = (
    "Chance is the share of the largest class among the pictures tested on; the standard error is that of test. "
    "High frequencies are those above half of the highest one that pixels can hold; independent random values have "
    ".80. Changed is the share of answers that change; a drop is the loss of probability of the class that the "
    "unchanged picture gets: its mean over places, and the largest one of each picture. CKA is 1 for layers that hold "
    "the same up to a rotation and a scale; read it beside that of the untrained network. The standard training alone "
    "moves and mirrors pictures and has weight decay, as in the paper; the control “plain” has true labels alone."
)
SHOWN = (
    "strategy",
    "labels taught",
    "true labels",
    "test",
    "standard error",
    "chance",
    "paper",
    "epochs",
    "of",
    "samples",
)
"""Columns of accuracy.csv that the page shows."""


def study_page(summary: Mapping[str, Any], tables: Tables, sheet: bytes) -> str:
    """Returns the page as HTML in UTF-8; sheet: a PNG file."""
    shown = {
        "Accuracy": [{name: row[name] for name in SHOWN} for row in tables["accuracy"]],
        "High frequencies": tables["frequencies"],
        "Answers that change where pictures are moved, or covered in parts": _sensitivity(tables["sensitivity"]),
        "Similarity of layers (linear CKA)": _similarity(tables["similarity"]),
    }
    return fill_page(
        __package__,
        "study",
        f"Ways to train {summary['network']} on {summary['data set name']}",
        shown,
        about=html.escape(" ".join(_sentences(summary))),
        note=html.escape(NOTE),
        sheet=f"data:image/png;base64,{base64.b64encode(sheet).decode()}",
        caption=html.escape(_caption(summary)),
    )


def _sensitivity(rows: Rows) -> Rows:
    """A row for each network and part of the pictures."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        line = found.setdefault(
            (row["network"], row["pictures"]), {"network": row["network"], "pictures": row["pictures"]}
        )
        if row["change"] == "shift":
            line[f"moved by {row['pixels']} px"] = row["changed"]
        else:
            line |= {"covered": row["changed"], "mean drop": row["drop"], "largest drop": row["largest"]}
    return list(found.values())


def _similarity(rows: Rows) -> Rows:
    """A row for each two networks."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        pair = f"{row['network']}, {row['other']}"
        found.setdefault(pair, {"networks": pair})[row["layer"]] = row["cka"]
    return list(found.values())


def _sentences(summary: Mapping[str, Any]) -> Iterable[str]:
    height, width = summary["size"]
    yield f"{summary['trained on']:,} pictures to train on and {summary['tested on']:,} to test on,"
    yield f"{width} × {height} pixels, of {len(summary['classes'])} classes; chance is {summary['chance']:.3f}."
    yield f"The paper's numbers are of {summary['paper']['data']}, so they are not to be met here."
    missing = [name for name in STRATEGIES if name not in {row["strategy"] for row in summary["accuracy"]}]
    if missing:
        yield f"Not trained yet: {', '.join(missing)}."
    for row in summary["accuracy"]:
        if row["epochs"] < row["of"]:
            yield f"The training {row['strategy']} was stopped after {row['epochs']} of {row['of']} epochs."
    if summary["left out"]:
        yield f"{len(summary['left out'])} pictures can't be read and were left out."


def _caption(summary: Mapping[str, Any]) -> str:
    how = summary["made pictures"]
    return (
        "First kernels, and pictures that channels of the last convolution look for (activation maximisation, preset "
        f"{how['preset']}, {how['steps']} steps); channels at equal distances, the same in each row."
    )
