"""What a hall's user has chosen, as JSON in properties of its scene; a stranger may have written those of a file."""

from __future__ import annotations

from typing import Any

import bpy

from ...torch_bridge.recording.errors import SceneError
from ...torch_bridge.recording.files import parse_json
from ..properties import ABLATED_CHANNELS, CHOSEN_POSITIONS, MISFIT_MARKS, SHELF_CONTENT


def ablated_channels(scene: bpy.types.Scene) -> dict[str, list[int]]:
    """Returns the channels of the hall's network that are set to 0, by the id of their panel's layer.

    Raises SceneError.
    """
    ablated = _read_object(scene, ABLATED_CHANNELS)
    if not all(map(_are_indices, ablated.values())):
        raise _damaged(scene, ABLATED_CHANNELS)
    return ablated


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
