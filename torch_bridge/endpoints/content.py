"""What a board shows of one tensor, and how large tensors are cut to what a board has room for."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..recording.endpoints import MAX_VALUES, EndpointKind

MAX_ROWS = 64
"""Rows of a table."""
MAX_LABEL = 200
"""Characters of a label."""


class Content(NamedTuple):
    """What a board shows of one tensor; the fields are those of `Endpoint`."""

    kind: EndpointKind
    values: np.ndarray | None = None
    """(rows, columns) float32."""
    pixels: np.ndarray | None = None
    """(n, H, W, 3) uint8 sRGB, top row first."""
    labels: tuple[str, ...] = ()
    note: str = ""
    over: str = ""


NOTHING = Content("none")


def make_table(kind: EndpointKind, values: np.ndarray, labels: tuple[str, ...] = ()) -> Content:
    """Makes a table of values of any shape, a row for each entry but those of the last axis; large ones are cut.

    labels: for each row, or ().
    """
    rows = values.reshape(math.prod(values.shape[:-1]), -1) if values.ndim > 1 else values.reshape(1, -1)
    kept = rows[:MAX_ROWS]
    kept = kept[:, : max(MAX_VALUES // max(len(kept), 1), 1)]
    cut = [
        f"first {shown} of {there:,} {what}"
        for shown, there, what in zip(kept.shape, rows.shape, ("rows", "columns"), strict=True)
        if shown < there
    ]
    with np.errstate(over="ignore"):
        table = np.ascontiguousarray(kept, np.float32)
    return Content(kind, table, labels=tuple(label[:MAX_LABEL] for label in labels[: len(kept)]), note=", ".join(cut))


def thin(values: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Leaves out entries at equal distances, so that the last axes of an array of any shape have at most these sizes.

    (..., H, W) with sizes (h, w) keeps every second row if H is more than h and at most 2 h.
    """
    for k, most in enumerate(sizes, values.ndim - len(sizes)):
        step = -(-values.shape[k] // most)
        values = values[(*[slice(None)] * k, slice(None, None, step))]
    return values
