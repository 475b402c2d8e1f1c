"""Parts of a hall by their roles, wherever a person has put them."""

from __future__ import annotations

import bpy

from ..paint.meshes import ROLE

HALL = "hall"
"""The role of the hall's collection."""


def collection_of(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The scene's collection of everything in its hall; made when it isn't there."""
    found = next((one for one in scene.collection.children if one.get(ROLE) == HALL), None)
    if found is None:
        found = bpy.data.collections.new("Hall")
        found[ROLE] = HALL
        scene.collection.children.link(found)
    return found


def part_of(scene: bpy.types.Scene, role: str) -> bpy.types.Object | None:
    """The hall's object of a role, the first of several; None where a person has taken it away."""
    return next((one for one in scene.objects if one.get(ROLE) == role), None)


def child_of(holder: bpy.types.Object, role: str) -> bpy.types.Object | None:
    """What hangs on an object in a role."""
    return next((one for one in holder.children if one.get(ROLE) == role), None)
