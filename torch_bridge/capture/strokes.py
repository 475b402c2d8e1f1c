"""Strokes of a brush: channels of a layer that get another value at some places of their maps once it has run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import torch

from ..recording import Network
from ..recording.channels import check_channels
from ..recording.errors import InputError
from .values.map_layout import MapLayout

MAX_STROKES, MAX_CELLS = 1000, 1 << 16
"""Strokes of a run, and cells of a stroke."""
FORM = '{"layer": "up2", "channels": [3, 5], "cells": [[4, 4], [4, 5]], "insert": true}'


@dataclass(frozen=True)
class Stroke:
    """Channels of a layer and the places of their maps at which they get another value."""

    channels: tuple[int, ...]
    cells: tuple[tuple[int, int], ...]
    """(row, column) in the layer's maps, from the upper left corner."""
    values: tuple[float, ...]
    """Value by channel."""
    inserts: bool
    """Whether the values are those of an insertion; else all are 0."""

    def as_json(self, layer: str) -> dict[str, Any]:
        """Returns the stroke as plain JSON values, without its values, which follow from the network."""
        cells = [list(cell) for cell in self.cells]
        return {"layer": layer, "channels": list(self.channels), "cells": cells, "insert": self.inserts}

    def paint(self, maps: torch.Tensor) -> None:
        """Sets the values in maps (N, C, H, W), of all inputs, in place."""
        rows, columns = torch.tensor(self.cells, device=maps.device).T
        for channel, value in zip(self.channels, self.values, strict=True):
            maps[:, channel, rows, columns] = value


def resolve_strokes(
    network: Network, request: Any, levels: Callable[[str], Sequence[float]]
) -> dict[str, tuple[Stroke, ...]]:
    """Checks requested strokes, JSON objects such as FORM; returns them by layer in their order.

    levels: returns the value that each channel of a layer has where it is active, which insertions give it. A panel
    stands for the layer that it shows. Raises UnknownName or InputError.
    """
    if not isinstance(request, Sequence) or isinstance(request, str) or len(request) > MAX_STROKES:
        raise InputError(f"strokes: a list of at most {MAX_STROKES:,} objects such as {FORM} is needed")
    found: dict[str, list[Stroke]] = {}
    for values in request:
        if not _is_stroke(values):
            raise InputError(f"strokes: {str(values)[:60]} is no stroke; write {FORM}")
        layer = network.layer(network.layer(values["layer"]).shows or values["layer"])
        height, width = layer.map_shape[1:]
        if layer.role in ("input", "output") or height * width < 2:
            raise InputError(f"layer {values['layer']} has no maps with rows and columns that could be painted on")
        check_channels(network, values["layer"], values["channels"])
        if wrong := [cell for cell in values["cells"] if not (cell[0] < height and cell[1] < width)]:
            raise InputError(f"stroke on {values['layer']}: no cell {wrong[0]}; its maps have {height} x {width}")
        known = levels(layer.id) if values["insert"] else ()
        inserted = tuple(float(known[channel]) if known else 0.0 for channel in values["channels"])
        cells = tuple((int(row), int(column)) for row, column in values["cells"])
        found.setdefault(layer.id, []).append(Stroke(tuple(values["channels"]), cells, inserted, values["insert"]))
    return {id: tuple(strokes) for id, strokes in found.items()}


def _is_stroke(values: Any) -> TypeGuard[Mapping[str, Any]]:
    if not isinstance(values, Mapping) or set(values) != {"layer", "channels", "cells", "insert"}:
        return False
    cells, channels = values["cells"], values["channels"]
    are_lists = isinstance(cells, Sequence) and isinstance(channels, Sequence) and 0 < len(cells) <= MAX_CELLS
    return (
        are_lists
        and isinstance(values["layer"], str)
        and type(values["insert"]) is bool
        and len(channels) > 0
        and all(type(channel) is int and channel >= 0 for channel in channels)
        and all(_are_places(cell) for cell in cells)
    )


def _are_places(cell: Any) -> bool:
    is_pair = isinstance(cell, Sequence) and len(cell) == 2
    return is_pair and all(type(place) is int and place >= 0 for place in cell)


def paint_strokes(value: torch.Tensor, layout: MapLayout, strokes: Sequence[Stroke]) -> None:
    """Paints strokes on a layer's output (any shape) in place; no gradient passes where they have painted.

    Raises InputError for a layer whose tensor isn't laid out as maps.
    """
    maps = _as_maps(value.data, layout)
    with torch.no_grad(), torch.inference_mode(value.is_inference()):
        for stroke in strokes:
            stroke.paint(maps)
    if value.requires_grad:
        value.register_hook(lambda gradient: _without(gradient.clone(), layout, strokes))


def _without(gradient: torch.Tensor, layout: MapLayout, strokes: Sequence[Stroke]) -> torch.Tensor:
    maps = _as_maps(gradient, layout)
    for stroke in strokes:
        Stroke(stroke.channels, stroke.cells, (0.0,) * len(stroke.channels), False).paint(maps)
    return gradient


def _as_maps(value: torch.Tensor, layout: MapLayout) -> torch.Tensor:
    """Returns a layer's tensor as a view (N, C, H, W)."""
    batch = layout.batch_axis
    order = [axis + (batch is not None and axis >= batch) for axis in layout.axis_order]
    plain = len(order) == 3 and math.prod(layout.map_shape) == math.prod(layout.shape) and not layout.skipped_tokens
    if not plain:
        raise InputError(f"a layer of shape {tuple(layout.shape)} isn't laid out as maps; strokes can't be painted")
    return value.permute(batch, *order) if batch is not None else value.permute(*order)[None]
