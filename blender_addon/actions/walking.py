"""Walks: with a headset, or at the desk; from place to place."""

from __future__ import annotations

from typing import Literal

import bpy

from ...torch_bridge.errors import SceneError, UnknownName

Shading = Literal["auto", "preview", "baked"]


def start_walk(scene: bpy.types.Scene, shading: Shading = "auto", textures: int = 256) -> str:
    """Walk through the hall with a headset. Raises SceneError where that can't be, and says what to install.

    shading: "preview" is Blender's Material Preview, "baked" costs a headset least; "auto" takes the first if the
    hall's textures are at most `textures` MiB, within which those that are baked stay.
    """
    from ..vr import headset

    return headset.begin(scene, shading, textures)


def walk_at_desk(scene: bpy.types.Scene) -> str:
    """Walk through the hall in the 3D view, with keys, mouse and a crosshair. Raises SceneError."""
    from ..vr import at_desk

    return at_desk.begin(scene)


def end_walk(scene: bpy.types.Scene) -> str:
    """Leave the walk that goes on, with a headset or at the desk."""
    from ..vr import at_desk, headset

    if at_desk.current() is not None:
        at_desk.finish()
        return "the walk is over"
    return headset.end()


def go_to_place(scene: bpy.types.Scene, place: str) -> str:
    """Send who walks to a place of the tour: "Entrance", "Input", a stage by its name, "Answer".

    Raises UnknownName, or SceneError where nobody walks.
    """
    from ..vr import acts, walk

    goes_on = walk.current()
    if goes_on is None:
        raise SceneError("nobody walks; start a walk first")
    names = [one.name for one in goes_on.places]
    if place not in names:
        raise UnknownName("place", place, names)
    return acts.go(goes_on, names.index(place))
