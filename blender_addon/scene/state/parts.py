"""Finds the objects of a hall by the roles in their custom properties, whatever their names and collections."""

from __future__ import annotations

import bpy

from ...properties import HALL_ROLE, OBJECT_ROLE


def hall_collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    """Returns the collection of the scene's hall; creates it if it is missing."""
    children = scene.collection.children
    collection = next((child for child in children if child.get(OBJECT_ROLE) == HALL_ROLE), None)
    if collection is None:
        collection = bpy.data.collections.new("Hall")
        collection[OBJECT_ROLE] = HALL_ROLE
        children.link(collection)
    return collection


def find_part(scene: bpy.types.Scene, role: str) -> bpy.types.Object | None:
    """Returns the scene's first object with a role; None if a person has deleted it."""
    return next((holder for holder in scene.objects if holder.get(OBJECT_ROLE) == role), None)


def find_child(parent: bpy.types.Object, role: str) -> bpy.types.Object | None:
    """Returns the first child of an object with a role, or None."""
    return next((child for child in parent.children if child.get(OBJECT_ROLE) == role), None)
