"""Parts of a hall by their roles, wherever a person has put them."""

from __future__ import annotations

import bpy

from ...properties import HALL_ROLE, OBJECT_ROLE


def hall_collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The scene's collection of everything in its hall; made when it isn't there."""
    found = next((one for one in scene.collection.children if one.get(OBJECT_ROLE) == HALL_ROLE), None)
    if found is None:
        found = bpy.data.collections.new("Hall")
        found[OBJECT_ROLE] = HALL_ROLE
        scene.collection.children.link(found)
    return found


def find_part(scene: bpy.types.Scene, role: str) -> bpy.types.Object | None:
    """The hall's object of a role, the first of several; None where a person has taken it away."""
    return next((one for one in scene.objects if one.get(OBJECT_ROLE) == role), None)


def find_child(holder: bpy.types.Object, role: str) -> bpy.types.Object | None:
    """What hangs on an object in a role."""
    return next((one for one in holder.children if one.get(OBJECT_ROLE) == role), None)
