"""Checks the properties of a hall that is read from a .blend file: files are untrusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import bpy

from ....torch_bridge.recording.errors import SceneError
from ... import properties as keys
from ..materials.colour_settings import NORMALISATIONS
from ..panels import panels

MAX_SHOWN = 60
"""Characters of a wrong value that an error quotes."""
MAX_SIDE = 1 << 24
"""Most columns or rows of tiles."""


class Kind(NamedTuple):
    """What a property must be."""

    fits: Callable[[Any], bool]
    text: str
    needed: bool = False


def _list(value: Any) -> list[Any]:
    """The entries of an array property; [] for anything else."""
    return value.to_list() if hasattr(value, "to_list") else []


def _are_finite(values: list[Any], count: int) -> bool:
    return len(values) == count and all(isinstance(value, (int, float)) and math.isfinite(value) for value in values)


def _is_grid(value: Any) -> bool:
    """Whether a value is columns, rows, and the width and height of a tile in metres."""
    sizes = _list(value)
    if not _are_finite(sizes, 4) or not all(size > 0 for size in sizes):
        return False
    return all(size == int(size) <= MAX_SIDE for size in sizes[:2])


def _numbers(count: int, needed: bool = False) -> Kind:
    return Kind(lambda value: _are_finite(_list(value), count), f"{count} finite numbers", needed)


def _block(type_: type, text: str) -> Kind:
    return Kind(lambda value: isinstance(value, type_), text)


TEXT = Kind(lambda value: isinstance(value, str), "a text")
WHOLE = Kind(lambda value: isinstance(value, int) and value >= 0, "a whole number from 0")
INDEX = Kind(lambda value: isinstance(value, int) and value >= -1, "a whole number from -1")
POSITIVE = Kind(lambda value: isinstance(value, (int, float)) and 0 < value < math.inf, "a number above 0", True)
GRID = Kind(_is_grid, "columns, rows, and width and height of a tile")
CHOSEN = Kind(
    lambda value: all(type(channel) is int and channel >= 0 for channel in _list(value) or [None]), "a list of channels"
)
NUMBER = Kind(lambda value: _are_finite([value], 1), "a number")
ROW = Kind(lambda value: _are_finite(_list(value), 3) and 0 <= value[0] < 1, "a row 0..1, a scale and an offset", True)
WEIGHTS = Kind(lambda value: tuple(_list(value)) in NORMALISATIONS.values(), "1 for one of three peaks, else 0", True)

SCENE: Mapping[str, Kind] = {
    keys.HALL_VERSION: WHOLE,
    keys.HALL_RECORDING: _block(bpy.types.Text, "a text data-block"),
    keys.HALL_NETWORK_GRAPH: _block(bpy.types.Text, "a text data-block"),
    keys.COLLAPSED_PANELS: _block(bpy.types.Collection, "a collection"),
    keys.SELECTED_LAYER: TEXT,
    keys.SELECTED_CHANNEL: INDEX,
    keys.SOLO_LAYER: TEXT,
    keys.COLOUR_MAP: ROW,
    keys.COLOUR_GAIN: POSITIVE,
    keys.PEAK_WEIGHTS: WEIGHTS,
    keys.LARGEST_PEAK: POSITIVE,
    keys.FOG_RANGE: _numbers(3),
    keys.FOG_COLOUR: _numbers(3, needed=True),
    keys.BOARD_COLOUR: _numbers(3),
    keys.TRACK_COLOUR: _numbers(3),
    keys.ZERO_LINE_COLOUR: _numbers(3),
    keys.NETWORK_NAME: TEXT,
    keys.SHOWN_METHOD: TEXT,
    keys.COMPARED_HALL: TEXT,
    keys.SHARED_INPUT_HALL: TEXT,
    keys.ABLATED_CHANNELS: TEXT,
    keys.WHOLE_ANSWER: TEXT,
    keys.CHOSEN_POSITIONS: TEXT,
    keys.SHELF_CONTENT: TEXT,
    keys.HELD_PICTURE: INDEX,
    keys.VIDEO_SOURCE: TEXT,
    keys.VIDEO_FRAME: INDEX,
    keys.SERIES_FOLDER: TEXT,
    keys.SERIES_POSITION: INDEX,
    keys.LIGHT_FRONT: NUMBER,
}
"""Properties of a hall's scene."""
OBJECT: Mapping[str, Kind] = {
    keys.OBJECT_ROLE: TEXT,
    keys.PANEL_LAYER_ID: TEXT,
    keys.PANEL_PLANNED_PLACE: _numbers(16),
    keys.INPUT_NAME: TEXT,
    keys.SHELF_INDEX: WHOLE,
    keys.DRAWN_CONTENT: TEXT,
}
"""Properties of any object of a hall."""
PANEL: Mapping[str, Kind] = {
    keys.PANEL_LAYER_ID: TEXT._replace(needed=True),
    keys.PANEL_ORDER: WHOLE,
    keys.PANEL_BLOCK: TEXT,
    keys.PANEL_SHOWN_LAYER: TEXT,
    keys.PANEL_FILL_COUNT: WHOLE,
    keys.PANEL_MEASURED_FILL: WHOLE,
    keys.PANEL_GRID: GRID._replace(needed=True),
    keys.PANEL_PLANNED_GRID: GRID,
    keys.PANEL_MAP_COUNT: WHOLE,
    keys.PANEL_GRID_CORNER: _numbers(2),
    keys.PANEL_CHOSEN_CHANNELS: CHOSEN,
    keys.PANEL_METADATA: TEXT,
    keys.PANEL_CONCEPTS: TEXT,
    keys.LARGEST_PEAK: POSITIVE,
    keys.PANEL_BRIGHTNESS: POSITIVE._replace(needed=False),
}
"""Further properties of a panel."""


def check_properties(scene: bpy.types.Scene) -> None:
    """Raises SceneError unless the properties of a hall's scene and of its objects are of their kinds."""
    for name, block, kinds in _blocks(scene):
        for key, kind in kinds.items():
            value = block.get(key)
            if kind.needed if value is None else not kind.fits(value):
                found = str(_list(value) or value)[:MAX_SHOWN]
                raise SceneError(f"{name}: property {key} is {found}; {kind.text} is needed, so build the hall again")
    for panel in panels(scene).values():
        _check_points(panel)


def _blocks(scene: bpy.types.Scene) -> Iterator[tuple[str, bpy.types.ID, Mapping[str, Kind]]]:
    """Yields what has properties, with its name for people, roles of objects before what depends on them."""
    yield f"scene {scene.name!r}", scene, SCENE
    collapsed = scene.get(keys.COLLAPSED_PANELS)
    for holder in (*scene.objects, *(collapsed.objects if collapsed else ())):
        yield f"object {holder.name!r}", holder, OBJECT
        if holder.get(keys.OBJECT_ROLE) == keys.PANEL_ROLE:
            yield f"panel {holder.name!r}", holder, PANEL


def _check_points(panel: bpy.types.Object) -> None:
    """Raises SceneError for a panel without points, with more maps than points, or with maps of other channels."""
    place = panel.data.attributes.get("place") if panel.type == "MESH" else None
    if place is None or (place.data_type, place.domain) != ("INT", "POINT"):
        raise SceneError(f"panel {panel.name!r} has lost its points; build the hall again")
    points, chosen = len(panel.data.vertices), _list(panel.get(keys.PANEL_CHOSEN_CHANNELS))
    count = panel.get(keys.PANEL_MAP_COUNT, points)
    if count not in range(1, points + 1):
        raise SceneError(f"panel {panel.name!r} has {points} points, fewer than maps; build it again")
    if chosen and not (len(set(chosen)) == len(chosen) == count and max(chosen) < points):
        raise SceneError(f"panel {panel.name!r}: its {count} maps are of other channels; build the hall again")
