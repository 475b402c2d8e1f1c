"""Blender's application events as halls need them, in the extension, in plain Python and in the background.

Importing this module watches for files that are opened or appended. The handlers of all other events exist while the
file has halls: from the first that is created, opened or appended, until a file without halls is opened or the last
hall is removed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ...properties import HALL_VERSION
from ..engine import name_cycles, register_engine, restore_engines, unregister_engine
from ..materials.images import pack_images
from ..panels import update_point_values

Subscriber = Callable[[Any], object]
"""Function that is called with the first argument of Blender's event: a scene, or the path of an opened file."""
WATCHED = ("load_post", "blend_import_post")
"""The events after a file was opened, and after data of another file was appended or linked."""
SUBSCRIBERS: dict[str, list[Subscriber]] = {
    **{event: [lambda _: update_handlers()] for event in WATCHED},
    "save_pre": [
        lambda _: pack_images(),  # Blender would drop the images of maps
        lambda _: _update_points(),  # a window doesn't keep them up to date
        lambda _: name_cycles(),
    ],
    "save_post": [lambda _: restore_engines()],
    "save_post_fail": [lambda _: restore_engines()],
    "undo_post": [],
    "redo_post": [],
    "frame_change_post": [],
}
"""Functions to call at each event, by the name of Blender's list of its handlers."""


def _create_handler(event: str) -> Callable[..., None]:
    @persistent
    def handle(argument: Any = None, *_: Any) -> None:
        for subscriber in SUBSCRIBERS[event]:
            subscriber(argument)

    return handle


HANDLERS = {event: _create_handler(event) for event in SUBSCRIBERS}
"""The handler of each event."""


def subscribe(event: str, subscriber: Subscriber) -> None:
    """Calls a function at each event of this kind; at once too, if it is "load_post" and the open file has halls."""
    SUBSCRIBERS[event].append(subscriber)
    if event == "load_post" and _has_halls():
        subscriber("")


def update_handlers() -> None:
    """Installs all handlers if the open file has halls, else only those that watch for halls to come.

    The first halls bring their render engine too.
    """
    has_halls = _has_halls()
    if has_halls:
        register_engine()
    for event, handler in HANDLERS.items():
        _set_installed(event, handler, has_halls or event in WATCHED)


def remove_handlers() -> None:
    """Removes all handlers, also those that watch for halls to come, and the render engine."""
    unregister_engine()
    for event, handler in HANDLERS.items():
        _set_installed(event, handler, False)


def _update_points() -> None:
    """Writes the numbers of channels that geometry nodes read to the points of all halls."""
    for scene in bpy.data.scenes:
        if HALL_VERSION in scene:
            update_point_values(scene)


def _set_installed(event: str, handler: Callable[..., None], installed: bool) -> None:
    handlers = getattr(bpy.app.handlers, event)
    if installed and handler not in handlers:
        handlers.append(handler)
    elif not installed and handler in handlers:
        handlers.remove(handler)


def _has_halls() -> bool:
    """Returns whether the open file has halls; False while Blender restricts access to it, as when it starts."""
    return any(HALL_VERSION in scene for scene in getattr(bpy.data, "scenes", ()))


update_handlers()
