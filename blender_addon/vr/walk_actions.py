"""The actions of walks: start one with a headset or on the desktop, go to a place, end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...torch_bridge.recording.errors import SceneError, UnknownName

if TYPE_CHECKING:
    import bpy


def start_walk(scene: bpy.types.Scene) -> str:
    """Starts a walk through the hall with a headset.

    The hall's own engine draws it; a scene that shows anything else is shown in Material Preview. Raises SceneError if
    no session can start, and says what to install.
    """
    from .headset import headset_walk

    return headset_walk.begin(scene)


def walk_at_desk(scene: bpy.types.Scene) -> str:
    """Starts a walk through the hall in the 3D view, with keys, mouse and a crosshair.

    Raises SceneError if no 3D view shows the hall.
    """
    from .desk import desk_walk

    return desk_walk.begin(scene)


def end_walk(scene: bpy.types.Scene) -> str:
    """Ends the walk that is running, with a headset or on the desktop."""
    from .desk import desk_walk
    from .headset import headset_walk

    if desk_walk.current() is not None:
        desk_walk.finish()
        return "the walk has ended"
    return headset_walk.end()


def go_to_place(scene: bpy.types.Scene, place: str) -> str:
    """Moves the walker to a place of the tour: "Entrance", "Input", the title of a stage, or "Answer".

    Raises UnknownName, or SceneError if no walk is running.
    """
    from . import walk

    running = walk.current()
    if running is None:
        raise SceneError("no walk is running; start one first")
    names = [landmark.name for landmark in running.landmarks]
    if place not in names:
        raise UnknownName("place", place, names)
    return running.go_to(names.index(place))
