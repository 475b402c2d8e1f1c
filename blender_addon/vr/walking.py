"""Walks: with a headset, or at the desk; from place to place."""

from __future__ import annotations

from typing import Literal

import bpy

from ...torch_bridge.recording.errors import SceneError, UnknownName

Shading = Literal["auto", "preview", "baked"]


def start_walk(scene: bpy.types.Scene, shading: Shading = "auto", textures: int = 256) -> str:
    """Walk through the hall with a headset. Raises SceneError where that can't be, and says what to install.

    shading: "preview" is Blender's Material Preview, "baked" costs a headset least; "auto" takes the first if the
    hall's textures are at most `textures` MiB, within which those that are baked stay.
    """
    from .headset import headset_walk

    return headset_walk.begin(scene, shading, textures)


def walk_at_desk(scene: bpy.types.Scene) -> str:
    """Walk through the hall in the 3D view, with keys, mouse and a crosshair. Raises SceneError."""
    from .desk import desk_walk

    return desk_walk.begin(scene)


def end_walk(scene: bpy.types.Scene) -> str:
    """Leave the walk that goes on, with a headset or at the desk."""
    from .desk import desk_walk
    from .headset import headset_walk

    if desk_walk.current() is not None:
        desk_walk.finish()
        return "the walk is over"
    return headset_walk.end()


def go_to_place(scene: bpy.types.Scene, place: str) -> str:
    """Send who walks to a place of the tour: "Entrance", "Input", a stage by its name, "Answer".

    Raises UnknownName, or SceneError where nobody walks.
    """
    from . import hand_actions, walk

    goes_on = walk.current()
    if goes_on is None:
        raise SceneError("nobody walks; start a walk first")
    names = [one.name for one in goes_on.places]
    if place not in names:
        raise UnknownName("place", place, names)
    return hand_actions.go(goes_on, names.index(place))
