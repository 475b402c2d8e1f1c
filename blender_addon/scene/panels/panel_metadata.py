"""Stores on a panel what a method returns besides values, so that files, undo and new layouts keep it.

One number a channel becomes an attribute of the panel's points, which a person's own nodes can read (objects.py lists
them all); all else becomes one JSON text in a custom property.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import bpy
import numpy as np

from ....torch_bridge.recording import LINK_PREFIX, MapFrame, Maps
from ...imaging import colour_maps
from ...properties import PANEL_FILL_COUNT, PANEL_MEASURED_FILL, PANEL_METADATA

MAX_BOXES = 4096
"""Largest number of boxes kept for a layer; those with the highest scores are kept."""
NO_PLACE = (0, 1, "")
"""Place of maps of a whole input."""
MAX_LINKS = 256
"""Largest number of links kept between two layers; the strongest are kept."""


@dataclass(frozen=True)
class PanelMetadata:
    """The metadata of one panel's maps."""

    frame: MapFrame = "layer"
    labels: tuple[str, ...] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 6)))
    """(n, 6) float64: channel, x0, y0, x1, y1 (0..1 from the frame's upper left), score; best first."""
    links: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(n, 3) float64 by the other layer's id: channel, channel of that layer, strength; strongest first."""
    numbers: tuple[str, ...] = ()
    """Names of the attributes that hold one number a channel."""
    place: tuple[int, int, str] = NO_PLACE
    """Position, number of positions and what a position is, as in `Maps`."""

    def extras(self) -> dict[str, np.ndarray]:
        """Returns boxes (n, 6) and links (n, 3), float32, as the extras of `Maps`."""
        links = {LINK_PREFIX + layer: rows.astype(np.float32) for layer, rows in self.links.items()}
        return links | ({"boxes": self.boxes.astype(np.float32)} if len(self.boxes) else {})


NO_METADATA = PanelMetadata()


def write_metadata(panel: bpy.types.Object, maps: Maps) -> None:
    """Writes the metadata of maps to a panel, in place of the previous one.

    Where the panel's tiles are made anyway, because it is new or for a method's numbers, `value` and `peak` are written
    too: see `write_point_values`.
    """
    numbers = _channel_numbers(maps, len(panel.data.vertices))
    text = _to_json(maps, list(numbers))
    old_numbers = read_metadata(panel).numbers
    if text != panel.get(PANEL_METADATA, ""):
        panel[PANEL_METADATA] = text
    for name in old_numbers:
        if name not in numbers and name in panel.data.attributes:
            panel.data.attributes.remove(panel.data.attributes[name])
    for name, values in numbers.items():
        set_attribute(panel.data, name, values)
    if numbers or old_numbers or PANEL_MEASURED_FILL not in panel:
        write_point_values(panel, maps)
        panel.data.update()


def write_point_values(panel: bpy.types.Object, maps: Maps) -> None:
    """Writes `value` (unless the method gives it) and `peak` of these maps to the panel's points; tiles are made again.

    Points without a map get 0.
    """
    missing = len(panel.data.vertices) - maps.channels
    if "value" not in read_metadata(panel).numbers:
        set_attribute(panel.data, "value", np.pad(_mean_values(maps), (0, missing)))
    set_attribute(panel.data, "peak", np.pad(np.maximum(maps.peak, colour_maps.MIN_PEAK), (0, missing)))
    panel[PANEL_MEASURED_FILL] = panel[PANEL_FILL_COUNT]


def read_metadata(panel: bpy.types.Object) -> PanelMetadata:
    """Returns a panel's metadata; NO_METADATA if the text is damaged."""
    text = panel.get(PANEL_METADATA, "")
    return _from_json(text) if text else NO_METADATA


def read_numbers(panel: bpy.types.Object) -> dict[str, np.ndarray]:
    """Returns the method's numbers by name: (C,) int32 or float32."""
    attributes = {name: panel.data.attributes.get(name) for name in read_metadata(panel).numbers}
    return {name: _values(attribute) for name, attribute in attributes.items() if attribute is not None}


def read_flags(panel: bpy.types.Object) -> np.ndarray:
    """Returns the flags of each channel, (C,) int32 bits of FLAGS."""
    zeros = np.zeros(len(panel.data.vertices), np.int32)
    return read_numbers(panel).get("flags", zeros).astype(np.int32)


def set_attribute(mesh: Any, name: str, values: np.ndarray) -> None:
    """Sets an attribute of the mesh's points. values: (points,) bool or integers (stored as int32), or floats."""
    is_integer = values.dtype.kind in "iub"
    data_type = "INT" if is_integer else "FLOAT"
    attribute = mesh.attributes.get(name) or mesh.attributes.new(name, data_type, "POINT")
    attribute.data.foreach_set("value", np.ascontiguousarray(values, np.int32 if is_integer else np.float32))


def _values(attribute: bpy.types.Attribute) -> np.ndarray:
    values = np.zeros(len(attribute.data), np.int32 if attribute.data_type == "INT" else np.float32)
    attribute.data.foreach_get("value", values)
    return values


def _channel_numbers(maps: Maps, points: int) -> dict[str, np.ndarray]:
    """Returns the extras with one number a channel by name, (points,), padded with zeros."""
    named = {"value" if name == "values" else name: np.asarray(array) for name, array in maps.extras.items()}
    return {
        name: np.pad(array, (0, points - maps.channels))
        for name, array in named.items()
        if name != "peak" and array.shape == (maps.channels,) and array.dtype.kind in "iubf"
    }


def _mean_values(maps: Maps) -> np.ndarray:
    """Returns the mean of each channel's finite values, (C,) float32; 0 for a channel without any."""
    values = maps.data.reshape(maps.channels, -1)
    finite = np.abs(values) < colour_maps.FLAG_FROM
    sums = np.where(finite, values, 0).sum(1, dtype=np.float64)
    return (sums / np.maximum(finite.sum(1), 1)).astype(np.float32)


def _to_json(maps: Maps, numbers: list[str]) -> str:
    """Returns the metadata as JSON; "" for maps without any, which are the most frequent."""
    boxes = _best_rows(maps.extras.get("boxes"), 6, MAX_BOXES)
    links = {
        name.removeprefix(LINK_PREFIX): _best_rows(rows, 3, MAX_LINKS)
        for name, rows in maps.extras.items()
        if name.startswith(LINK_PREFIX)
    }
    place = (maps.position, maps.positions, maps.axis)
    if not (boxes or links or numbers or maps.labels or maps.frame != "layer" or place != NO_PLACE):
        return ""
    metadata = {"frame": maps.frame, "labels": maps.labels, "boxes": boxes, "links": links, "numbers": numbers}
    return json.dumps(metadata | ({"place": place} if place != NO_PLACE else {}), ensure_ascii=False)


def _best_rows(rows: np.ndarray | None, columns: int, limit: int) -> list[list[float]]:
    """Returns the finite rows whose last numbers are largest in size, largest first; [] for another shape."""
    if rows is None or np.ndim(rows) != 2 or np.shape(rows)[1] != columns:
        return []
    finite = np.asarray(rows, np.float64)[np.isfinite(rows).all(1)]
    order = np.argsort(-np.abs(finite[:, -1]), kind="stable")[:limit]
    return [[float(f"{number:.6g}") for number in row] for row in finite[order]]


@lru_cache(maxsize=256)
def _from_json(text: str) -> PanelMetadata:
    try:
        metadata = json.loads(text)
        links = {layer: np.array(rows, float).reshape(-1, 3) for layer, rows in metadata["links"].items()}
        boxes = np.array(metadata["boxes"], float).reshape(-1, 6)
        frame: MapFrame = "input" if metadata["frame"] == "input" else "layer"
        position, positions, axis = metadata.get("place", NO_PLACE)
        place = (int(position), int(positions), str(axis))
        return PanelMetadata(frame, tuple(metadata["labels"]), boxes, links, tuple(metadata["numbers"]), place)
    except (ValueError, KeyError, TypeError, AttributeError):
        return NO_METADATA
