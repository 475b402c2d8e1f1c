"""What a hall's user has chosen, as JSON in properties of its scene; a stranger may have written those of a file."""

from __future__ import annotations

from typing import Any, NamedTuple

import bpy

from ...torch_bridge.recording.errors import SceneError
from ...torch_bridge.recording.files import parse_json
from ..properties import ABLATED_CHANNELS, ARTEFACT_VOTES, BRUSH, CHOSEN_POSITIONS, MISFIT_MARKS, SHELF_CONTENT, STROKES


class Brush(NamedTuple):
    """A brush that changes channels of a layer where it is put down."""

    layer: str
    """Id of a panel."""
    channels: list[int]
    insert: bool
    """Whether it gives the channels the value that they have where they are active; else 0."""
    size: float
    """Diameter as a share of the picture's side, above 0."""


def ablated_channels(scene: bpy.types.Scene) -> dict[str, list[int]]:
    """Returns the channels of the hall's network that are set to 0, by the id of their panel's layer.

    Raises SceneError.
    """
    ablated = _read_object(scene, ABLATED_CHANNELS)
    if not all(map(_are_indices, ablated.values())):
        raise _damaged(scene, ABLATED_CHANNELS)
    return ablated


def painted_strokes(scene: bpy.types.Scene) -> list[dict[str, Any]]:
    """Returns what a brush has changed in the maps of the hall's network, in order. Raises SceneError."""
    try:
        strokes = parse_json(str(scene.get(STROKES, "[]")))
    except ValueError:
        strokes = None
    if not isinstance(strokes, list) or not all(map(_is_stroke, strokes)):
        raise _damaged(scene, STROKES)
    return strokes


def held_brush(scene: bpy.types.Scene) -> Brush | None:
    """Returns the brush that is held, None for none. Raises SceneError."""
    values = _read_object(scene, BRUSH)
    if not values:
        return None
    is_brush = values.keys() == set(Brush._fields) and _are_indices(values["channels"])
    is_brush = is_brush and isinstance(values["layer"], str) and bool(values["channels"])
    if not (is_brush and type(values["insert"]) is bool and type(values["size"]) in (int, float)):
        raise _damaged(scene, BRUSH)
    return Brush(**values)


def artefact_votes(scene: bpy.types.Scene) -> dict[int, int]:
    """Returns a person's votes about generated pictures by the seed of their noise: 1 for an artefact, 0 for none.

    Raises SceneError.
    """
    votes = _read_object(scene, ARTEFACT_VOTES)
    if not all(seed.isdecimal() and vote in (0, 1) for seed, vote in votes.items()):
        raise _damaged(scene, ARTEFACT_VOTES)
    return {int(seed): int(vote) for seed, vote in votes.items()}


def chosen_positions(scene: bpy.types.Scene) -> dict[str, int]:
    """Returns which position of the input is shown where one was chosen, by the id of the layer that a panel shows.

    Raises SceneError.
    """
    positions = _read_object(scene, CHOSEN_POSITIONS)
    if not all(map(_is_index, positions.values())):
        raise _damaged(scene, CHOSEN_POSITIONS)
    return positions


def shelved(scene: bpy.types.Scene) -> dict[str, Any]:
    """Returns what is on the hall's shelf: set, class, indices, and seed or page; {} if empty. Raises SceneError."""
    content = _read_object(scene, SHELF_CONTENT)
    are_texts = all(isinstance(content.get(name), str) for name in ("set", "class"))
    number = content.get("page" if "page" in content else "seed")
    if content and not (are_texts and _is_index(number) and _are_indices(content.get("indices"))):
        raise _damaged(scene, SHELF_CONTENT)
    return content


def misfit_marks(scene: bpy.types.Scene) -> tuple[str, int, tuple[int, ...]]:
    """Returns layer, channel and the numbers of its pictures, from 1, that are marked as not fitting.

    Raises SceneError.
    """
    content = _read_object(scene, MISFIT_MARKS)
    layer, channel, marks = content.get("layer", ""), content.get("channel", 0), content.get("misfits", [])
    if not (isinstance(layer, str) and _is_index(channel) and _are_indices(marks)):
        raise _damaged(scene, MISFIT_MARKS)
    return layer, channel, tuple(marks)


def _is_index(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_stroke(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"layer", "channels", "cells", "insert"}:
        return False
    cells = value["cells"]
    are_cells = isinstance(cells, list) and all(_are_indices(cell) and len(cell) == 2 for cell in cells)
    return isinstance(value["layer"], str) and _are_indices(value["channels"]) and are_cells


def _are_indices(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_index, value))


def _read_object(scene: bpy.types.Scene, key: str) -> dict[str, Any]:
    try:
        content = parse_json(str(scene.get(key, "{}")))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise _damaged(scene, key)
    return content


def _damaged(scene: bpy.types.Scene, key: str) -> SceneError:
    return SceneError(f"scene {scene.name!r}: property {key} is damaged; remove it, or build the hall again")
