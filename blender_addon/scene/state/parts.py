"""Finds the objects of a hall by the roles in their custom properties, whatever their names and collections."""

from __future__ import annotations

import bpy

from ...properties import BOARD_NUMBER, HALL_ROLE, OBJECT_ROLE


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


def board_number(holder: bpy.types.Object) -> int:
    """Returns which of several boards an object is or belongs to, from 0."""
    number = holder.get(BOARD_NUMBER, 0)
    return number if type(number) is int and number > 0 else 0


def find_board(scene: bpy.types.Scene, role: str, number: int) -> bpy.types.Object | None:
    """Returns the object with a role that is, or belongs to, this input or output; None if a person has deleted it."""
    holders = (holder for holder in scene.objects if holder.get(OBJECT_ROLE) == role)
    return next((holder for holder in holders if board_number(holder) == number), None)


def pictured_input(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """Returns the picture of the first input that has one, which maps of the input lie over; None if it is deleted."""
    pictures = [holder for holder in scene.objects if holder.get(OBJECT_ROLE) == "input"]
    return min(pictures, key=board_number, default=None)


def find_child(parent: bpy.types.Object, role: str) -> bpy.types.Object | None:
    """Returns the first child of an object with a role, or None."""
    return next((child for child in parent.children if child.get(OBJECT_ROLE) == role), None)
