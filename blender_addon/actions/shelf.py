"""The shelf: pictures of a data set of the bridge, to be held one at a time and placed into the input's frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np

from ...torch_bridge.client import Bridge
from ...torch_bridge.recording.errors import InputError
from ..live import hall_requests
from ..live.session import current
from ..live.stored_choices import shelved
from ..plans.shelf_desk import SHOWN
from ..properties import HELD_PICTURE, SHELF_CONTENT
from ..scene.hall import shelf_pictures
from ..scene.hall.board_hits import hit_argument
from ..scene.hall.ray_hits import Hit, find_hall
from ..scene.state.data_blocks import push_undo
from .placing import place_input

Pictures = tuple[dict[str, Any], np.ndarray]
"""Answer of `Bridge.pictures`: their indices, titles and labels, and (n, size, size, 3) sRGB uint8, top row first."""


def draw_shelf(scene: bpy.types.Scene, data: str, seed: int = 0, of_class: str = "") -> str:
    """Puts random pictures of a data set of the bridge on the hall's shelf.

    seed: of the random choice. of_class: name of the only class to choose from, "" for all. Returns at once, with a
    line that says which pictures will come. Raises BridgeError if the bridge isn't ready.
    """
    return _fill_shelf(scene, {"set": data, "class": of_class, "seed": seed})


def page_shelf(scene: bpy.types.Scene, data: str, page: int = 0, of_class: str = "") -> str:
    """Puts one page of the pictures of a data set of the bridge, in their order, on the hall's shelf.

    page: counted from 0. of_class: name of the only class to page through, "" for all. Returns at once, with a line
    that says which pictures will come. Raises BridgeError if the bridge isn't ready.
    """
    return _fill_shelf(scene, {"set": data, "class": of_class, "page": max(page, 0)})


def _fill_shelf(scene: bpy.types.Scene, choice: dict[str, Any]) -> str:
    uid = scene.session_uid

    def fill(answer: Pictures) -> None:
        hall = hall_requests.scene_with_uid(uid)
        if hall is not None:
            _show_pictures(hall, choice, *answer)

    current().ask(_pictures_query(choice), fill)
    return f"pictures of {choice['class'] or choice['set']} are on their way to the shelf"


def _pictures_query(choice: dict[str, Any]) -> Callable[[Bridge], Pictures]:
    """Returns the call of the bridge for a choice of pictures: its set and class, and a seed or a page."""
    page = {"start": choice["page"] * SHOWN, "count": SHOWN} if "page" in choice else None
    draw = {"count": SHOWN, "seed": choice["seed"]} if page is None else None
    side, of_class = shelf_pictures.SIDE, choice["class"]
    return lambda bridge: bridge.pictures(choice["set"], side, draw=draw, page=page, of_class=of_class)


def _show_pictures(scene: bpy.types.Scene, choice: dict[str, Any], info: dict[str, Any], pictures: np.ndarray) -> None:
    data, of_class = choice["set"], choice["class"]
    if not len(pictures):
        raise InputError(f"{data} has no more pictures{f' of {of_class}' if of_class else ''}; go back a page")
    titles = [name or title for name, title in zip(info["classes"], info["titles"], strict=True)]
    shelf_pictures.set_shelf(scene, pictures, titles, f"{data}{f', {of_class}' if of_class else ''}")
    scene[SHELF_CONTENT] = json.dumps(choice | {"indices": info["indices"]})
    current().hall(scene.session_uid).shelf = scene[SHELF_CONTENT]
    scene[HELD_PICTURE] = -1
    push_undo("Random Pictures")


def restore_shelf(scene: bpy.types.Scene) -> None:
    """After undo, put the pictures on the shelf that were there then: undo doesn't restore the pixels of images."""
    session, uid, content = current(), scene.session_uid, str(scene.get(SHELF_CONTENT, ""))
    if not content or session.hall(uid).shelf == content or session.state != "ready":
        return

    def fill(answer: Pictures) -> None:
        hall = hall_requests.scene_with_uid(uid)
        if hall is not None and hall.get(SHELF_CONTENT) == content:
            shelf_pictures.fill_shelf(hall, answer[1])
            session.hall(uid).shelf = content

    session.ask(_pictures_query(shelved(scene)), fill)


def held(scene: bpy.types.Scene) -> int:
    """Returns the number of the shelf's picture that is held, counted from 0; -1 if none is."""
    return int(scene.get(HELD_PICTURE, -1))


def hold(scene: bpy.types.Scene, index: int) -> str:
    """Holds the shelf's picture of this number, counted from 0, or puts it back with -1.

    Returns a line that says what to do next. Raises InputError if there is no such picture.
    """
    indices = shelved(scene).get("indices", [])
    if not -1 <= index < len(indices):
        raise InputError(f"no picture {index} on the shelf; it has {len(indices)}")
    scene[HELD_PICTURE] = index
    shelf_pictures.outline_held(scene, index)
    return "put back" if index < 0 else "picture taken; click the input's frame to place it"


def place_held(scene: bpy.types.Scene) -> str:
    """Runs the hall's network on the picture that is held, and puts it back on the shelf.

    Returns a line that says what is run. Raises InputError if no picture is held, or BridgeError.
    """
    return _place_held(scene, "", "")


def _place_held(scene: bpy.types.Scene, hall: str, argument: str) -> str:
    number = held(scene)
    if number < 0:
        raise InputError("no picture is held; click one on the shelf first")
    content = shelved(scene)
    line = place_input(scene, data=content["set"], index=content["indices"][number], argument=argument, hall=hall)
    hold(scene, -1)
    return line


def pointed_shelf(scene: bpy.types.Scene, hit: Hit) -> str:
    """Holds the picture of the shelf that was clicked, or puts it back if it is held. Returns as `hold`."""
    return hold(scene, -1 if held(scene) == hit.shelf_index else hit.shelf_index)


def pointed_input(scene: bpy.types.Scene, hit: Hit) -> str:
    """Places the held picture into the clicked frame, this hall's or the one beside. Returns as `place_held`."""
    hall = find_hall(scene, hit)
    return _place_held(scene, hall.name, hit_argument(hall, hit))
