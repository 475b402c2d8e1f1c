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

from ....torch_bridge.recording import LINK_PREFIX, Chart, MapFrame, Maps
from ....torch_bridge.recording.charts import MOST_CHARTS, describe_chart
from ....torch_bridge.recording.errors import RecordingError
from ....torch_bridge.recording.files import parse_json
from ....torch_bridge.recording.maps_entries import parse_chart
from ....torch_bridge.recording.schema import JsonFields, text_entry
from ...imaging import colour_maps
from ...properties import PANEL_FILL_COUNT, PANEL_MEASURED_FILL, PANEL_METADATA

MAX_BOXES = 4096
"""Largest number of boxes kept for a layer; those with the highest scores are kept."""
OWN_ATTRIBUTES = ("channel", "place", "layer", "peak", "position")
"""Attributes of the points that no method's numbers replace."""
NO_PLACE = (0, 1, "")
"""Place of maps of a whole input."""
MAX_LINKS = 256
"""Largest number of links kept between two layers; the strongest are kept."""


@dataclass(frozen=True)
class PanelMetadata:
    """The metadata of one panel's maps."""

    frame: MapFrame = "layer"
    labels: tuple[str, ...] = ()
    """One for each map, or ()."""
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 6)))
    """(n, 6) float64: channel, x0, y0, x1, y1 (0..1 from the frame's upper left), score; best first."""
    links: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(n, 3) float64 by the other layer's id: channel, channel of that layer, strength; strongest first."""
    numbers: tuple[str, ...] = ()
    """Names of the attributes that hold one number a channel."""
    place: tuple[int, int, str] = NO_PLACE
    """Position, number of positions and what a position is, as in `Maps`."""
    note: str = ""
    """As in `Maps`."""
    charts: tuple[Chart, ...] = ()
    """As in `Maps`."""

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
    points = len(panel.data.vertices)
    if "value" not in read_metadata(panel).numbers:
        set_attribute(panel.data, "value", _by_point(maps, _mean_values(maps), points))
    set_attribute(panel.data, "peak", _by_point(maps, np.maximum(maps.peak, colour_maps.MIN_PEAK), points))
    panel[PANEL_MEASURED_FILL] = panel[PANEL_FILL_COUNT]


def read_metadata(panel: bpy.types.Object) -> PanelMetadata:
    """Returns a panel's metadata; NO_METADATA if the text is damaged."""
    text = panel.get(PANEL_METADATA, "")
    return _from_json(text) if text else NO_METADATA


def read_numbers(panel: bpy.types.Object) -> dict[str, np.ndarray]:
    """Returns the method's numbers by name: (points,) int32 or float32, 0 for channels without a map."""
    attributes = {name: panel.data.attributes.get(name) for name in read_metadata(panel).numbers}
    return {name: _values(attribute) for name, attribute in attributes.items() if _holds_numbers(attribute)}


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


def _holds_numbers(attribute: bpy.types.Attribute | None) -> bool:
    return attribute is not None and attribute.domain == "POINT" and attribute.data_type in ("INT", "FLOAT")


def _values(attribute: bpy.types.Attribute) -> np.ndarray:
    values = np.zeros(len(attribute.data), np.int32 if attribute.data_type == "INT" else np.float32)
    attribute.data.foreach_get("value", values)
    return values


def _channel_numbers(maps: Maps, points: int) -> dict[str, np.ndarray]:
    """Returns the extras with one number a channel by name, (points,), 0 for channels without a map."""
    named = {"value" if name == "values" else name: np.asarray(array) for name, array in maps.extras.items()}
    return {
        name: _by_point(maps, array, points)
        for name, array in named.items()
        if name not in OWN_ATTRIBUTES
        and name[:1] != "."
        and array.shape == (maps.channels,)
        and array.dtype.kind in "iubf"
    }


def _by_point(maps: Maps, numbers: np.ndarray, points: int) -> np.ndarray:
    """Returns (points,) numbers, where those of the maps, (maps,), are at the points of their channels."""
    values = np.zeros(points, numbers.dtype)
    values[list(maps.numbers)] = numbers
    return values


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
    rare: dict[str, Any] = ({"place": place} if place != NO_PLACE else {}) | ({"note": maps.note} if maps.note else {})
    rare |= {"charts": [*map(describe_chart, maps.charts)]} if maps.charts else {}
    if not (boxes or links or numbers or maps.labels or maps.frame != "layer" or rare):
        return ""
    metadata = {"frame": maps.frame, "labels": maps.labels, "boxes": boxes, "links": links, "numbers": numbers}
    return json.dumps(metadata | rare, ensure_ascii=False)


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
        fields = JsonFields(parse_json(text), "panel")
        links = {layer: _finite_rows(rows, 3) for layer, rows in fields.plain("links").items()}
        boxes = _finite_rows(fields.value["boxes"], 6)
        frame: MapFrame = "input" if fields.value["frame"] == "input" else "layer"
        position, positions, axis = fields.value.get("place", NO_PLACE)
        place = (int(position), int(positions), str(axis))
        labels, numbers = fields.items("labels", text_entry), fields.items("numbers", text_entry)
        charts = fields.items("charts", parse_chart, MOST_CHARTS)
        return PanelMetadata(frame, labels, boxes, links, numbers, place, fields.text("note"), charts)
    except (RecordingError, ValueError, KeyError, TypeError, OverflowError):
        return NO_METADATA


def _finite_rows(rows: Any, columns: int) -> np.ndarray:
    """Returns rows, (n, columns) float64. Raises ValueError or TypeError for any that aren't finite."""
    array = np.array(rows, float).reshape(-1, columns)
    if not np.isfinite(array).all():
        raise ValueError("rows must be finite")
    return array
