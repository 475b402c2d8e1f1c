"""The shelf of pictures: drawn from a data set of the bridge, taken one by one, placed into the input's frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np

from ...torch_bridge.client import Bridge
from ...torch_bridge.recording.errors import InputError
from ..live import results
from ..live.session import current
from ..properties import HELD_PICTURE, SHELF_CONTENT
from ..scene.hall import shelf
from ..scene.hall.pick import Hit, hall_of
from ..scene.state.scratch import undoable
from .bridge import place_input


def draw_shelf(scene: bpy.types.Scene, data: str, seed: int = 0, of_class: str = "") -> str:
    """Lay out pictures drawn at random from a data set of the bridge, or from a class of it. Raises BridgeError."""
    return _lay(scene, {"set": data, "class": of_class, "seed": seed})


def page_shelf(scene: bpy.types.Scene, data: str, page: int = 0, of_class: str = "") -> str:
    """Lay out a page of a data set, or of one of its classes, counted from 0. Raises BridgeError."""
    return _lay(scene, {"set": data, "class": of_class, "page": max(page, 0)})


def _lay(scene: bpy.types.Scene, told: dict[str, Any]) -> str:
    name = scene.name

    def laid(answer: Any) -> None:
        there = results.named(name)
        if there is not None:
            _show(there, told, *answer)

    current().ask(_question(told), laid)
    return f"pictures of {told['class'] or told['set']} are on their way to the shelf"


def _question(told: dict[str, Any]) -> Callable[[Bridge], Any]:
    """What the bridge is asked for."""
    count, of_class = shelf.SHOWN, {"class_": told["class"]} if told["class"] else {}
    page = {"page": {"start": told.get("page", 0) * count, "count": count}}
    which = page if "page" in told else {"draw": {"count": count, "seed": told["seed"]}}
    return lambda bridge: bridge.pictures(told["set"], shelf.SIDE, **which, **of_class)


def _show(scene: bpy.types.Scene, told: dict[str, Any], answer: dict[str, Any], pictures: np.ndarray) -> None:
    of_class = told["class"]
    if not len(pictures):
        raise InputError(f"{told['set']} has no more pictures{f' of {of_class}' if of_class else ''}; go back a page")
    titles = [name or title for name, title in zip(answer["classes"], answer["titles"], strict=True)]
    shelf.set_shelf(scene, pictures, titles, f"{told['set']}{f', {of_class}' if of_class else ''}")
    scene[SHELF_CONTENT] = current().laid[scene.session_uid] = json.dumps(told | {"indices": answer["indices"]})
    scene[HELD_PICTURE] = -1
    undoable("Draw Pictures")


def restore_shelf(scene: bpy.types.Scene) -> None:
    """After undo: the pictures are those that lay there then; they are in images, which undo leaves as they are."""
    session, told, name = current(), str(scene.get(SHELF_CONTENT, "")), scene.name
    if not told or session.laid.get(scene.session_uid) == told or session.state != "ready":
        return

    def laid(answer: Any) -> None:
        there = results.named(name)
        if there is not None and there.get(SHELF_CONTENT) == told:
            shelf.fill(there, answer[1])
            session.laid[there.session_uid] = told

    session.ask(_question(json.loads(told)), laid)


def shelved(scene: bpy.types.Scene) -> dict[str, Any]:
    """What is on the shelf: set, class, indices, and seed or page; {} for nothing."""
    return json.loads(scene.get(SHELF_CONTENT, "{}"))


def held(scene: bpy.types.Scene) -> int:
    """The number of the picture of the shelf that is held, -1 for none."""
    return int(scene.get(HELD_PICTURE, -1))


def hold(scene: bpy.types.Scene, index: int) -> str:
    """Take a picture from the shelf by its number, counted from 0; -1 puts it back. Raises InputError."""
    indices = shelved(scene).get("indices", [])
    if not -1 <= index < len(indices):
        raise InputError(f"no picture {index} on the shelf; it has {len(indices)}")
    scene[HELD_PICTURE] = index
    shelf.mark(scene, index)
    return "put back" if index < 0 else "picture taken; click the input's frame to place it"


def place_held(scene: bpy.types.Scene) -> str:
    """Place the picture that is held into the input's frame. Raises InputError or BridgeError."""
    return _place_held(scene, "")


def _place_held(scene: bpy.types.Scene, hall: str) -> str:
    index = held(scene)
    if index < 0:
        raise InputError("no picture is held; click one on the shelf first")
    there = shelved(scene)
    told = place_input(scene, data=there["set"], index=there["indices"][index], hall=hall)
    hold(scene, -1)
    return told


def pointed_shelf(scene: bpy.types.Scene, hit: Hit) -> str:
    """A click on a picture of the shelf takes it, a second one puts it back."""
    return hold(scene, -1 if held(scene) == hit.index else hit.index)


def pointed_input(scene: bpy.types.Scene, hit: Hit) -> str:
    """A click on the input's frame, this hall's or that of the one beside, places what is held there."""
    return _place_held(scene, hall_of(scene, hit).name)
