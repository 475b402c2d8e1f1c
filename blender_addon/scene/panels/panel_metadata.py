"""What a method says about channels besides values: kept on the panel, so that files, undo and refits know it.

Numbers of channels are attributes of the panel's points, for a person's own nodes too; all else is one JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import bpy
import numpy as np

from ....torch_bridge.recording import FLAGS, MapFrame, Maps
from ...properties import PANEL_METADATA

LINK_PREFIX = "weights:"
"""What the extras are called that link channels to those of another layer, before its id."""
MAX_BOXES, MAX_LINKS = 4096, 256
"""Of a layer, and of a layer to another: those with the highest scores, and the strongest."""


@dataclass(frozen=True)
class PanelMetadata:
    """What is told of one panel."""

    frame: MapFrame = "layer"
    labels: tuple[str, ...] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 6)))
    """(n, 6): channel, x0, y0, x1, y1 (shares of the frame, from its upper left), score; best first."""
    links: Mapping[str, np.ndarray] = field(default_factory=dict)
    """By layer (n, 3): channel, channel of that layer, strength; strongest first."""
    numbers: tuple[str, ...] = ()
    """Names of the attributes that hold a number a channel."""

    def extras(self) -> dict[str, np.ndarray]:
        """Boxes and links as `Maps` takes them."""
        found = {LINK_PREFIX + layer: links.astype(np.float32) for layer, links in self.links.items()}
        return found | ({"boxes": self.boxes.astype(np.float32)} if len(self.boxes) else {})


NO_METADATA = PanelMetadata()


def write_metadata(panel: bpy.types.Object, maps: Maps) -> None:
    """Write what the maps carry, in place of what was there."""
    numbers = _per_channel(maps, len(panel.data.vertices))
    told = _told(maps, list(numbers))
    before = read_metadata(panel).numbers
    if told != panel.get(PANEL_METADATA, ""):
        panel[PANEL_METADATA] = told
    for name in before:
        if name not in numbers and name in panel.data.attributes:
            panel.data.attributes.remove(panel.data.attributes[name])
    for name, values in numbers.items():
        set_attribute(panel.data, name, values)
    if numbers or before:
        panel.data.update()


def read_metadata(panel: bpy.types.Object) -> PanelMetadata:
    """What was kept; nothing where that is damaged."""
    text = panel.get(PANEL_METADATA, "")
    return _read(text) if text else NO_METADATA


def read_numbers(panel: bpy.types.Object) -> dict[str, np.ndarray]:
    """By name (C,): the method's numbers."""
    there = {name: panel.data.attributes.get(name) for name in read_metadata(panel).numbers}
    return {name: _values(one) for name, one in there.items() if one is not None}


def read_flags(panel: bpy.types.Object) -> np.ndarray:
    """(C,) int32: bits of each channel."""
    none = np.zeros(len(panel.data.vertices), np.int32)
    return read_numbers(panel).get("flags", none).astype(np.int32)


def words(bits: int) -> str:
    """The words of a channel's flags, "" for none."""
    return ", ".join(word for k, word in enumerate(FLAGS) if bits >> k & 1)


def set_attribute(mesh: Any, name: str, values: np.ndarray) -> None:
    """One number a point, whole or not as they come."""
    whole = values.dtype.kind in "iub"
    layer = mesh.attributes.get(name) or mesh.attributes.new(name, "INT" if whole else "FLOAT", "POINT")
    layer.data.foreach_set("value", np.ascontiguousarray(values, np.int32 if whole else np.float32))


def _values(layer: bpy.types.Attribute) -> np.ndarray:
    values = np.zeros(len(layer.data), np.int32 if layer.data_type == "INT" else np.float32)
    layer.data.foreach_get("value", values)
    return values


def _per_channel(maps: Maps, points: int) -> dict[str, np.ndarray]:
    """By name (points,): the arrays of one number a channel, with zeros for points that have no channel."""
    named = {"value" if name == "values" else name: np.asarray(array) for name, array in maps.extras.items()}
    return {name: np.pad(array, (0, points - maps.channels)) for name, array in named.items()
            if name != "peak" and array.shape == (maps.channels,) and array.dtype.kind in "iubf"}  # fmt: skip


def _told(maps: Maps, numbers: list[str]) -> str:
    """ "" for plain maps, which are the most."""
    boxes = _best(maps.extras.get("boxes"), 6, MAX_BOXES)
    links = {name.removeprefix(LINK_PREFIX): _best(rows, 3, MAX_LINKS)
             for name, rows in maps.extras.items() if name.startswith(LINK_PREFIX)}  # fmt: skip
    if not (boxes or links or numbers or maps.labels or maps.frame != "layer"):
        return ""
    told = {"frame": maps.frame, "labels": maps.labels, "boxes": boxes, "links": links, "numbers": numbers}
    return json.dumps(told, ensure_ascii=False)


def _best(rows: np.ndarray | None, columns: int, most: int) -> list[list[float]]:
    """Finite rows with the largest last columns, largest first."""
    if rows is None or np.ndim(rows) != 2 or np.shape(rows)[1] != columns:
        return []
    known = np.asarray(rows, np.float64)[np.isfinite(rows).all(1)]
    order = np.argsort(-np.abs(known[:, -1]), kind="stable")[:most]
    return [[float(f"{one:.6g}") for one in row] for row in known[order]]


@lru_cache(maxsize=256)
def _read(text: str) -> PanelMetadata:
    try:
        told = json.loads(text)
        links = {layer: np.array(rows, float).reshape(-1, 3) for layer, rows in told["links"].items()}
        boxes = np.array(told["boxes"], float).reshape(-1, 6)
        frame: MapFrame = "input" if told["frame"] == "input" else "layer"
        return PanelMetadata(frame, tuple(told["labels"]), boxes, links, tuple(told["numbers"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return NO_METADATA
