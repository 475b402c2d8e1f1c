"""The shelf: pictures of a data set on a desk before the input's frame, to be taken and placed into it."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ...layout import HallLayout, lay_out
from ...plans.primitives import Picture
from ...plans.shelf_desk import PICTURE_EDGE, desk_plane, picture_corner, plan_desk, plan_held_frame
from ...properties import HELD_PICTURE_ROLE, OBJECT_ROLE, SHELF_INDEX, SHELF_ROLE, SHELF_TEXT_ROLE
from ..materials.object_colours import update_object_colours
from ..paint import glyphs
from ..paint.meshes import add_plan
from ..paint.pictures import add_picture, picture_image, write_pixels
from ..paint.styles import theme_style
from ..state.parts import hall_collection
from . import store
from .build import remove_objects

SIDE = 96
"""Pixels of a picture's side."""


def set_shelf(scene: bpy.types.Scene, pictures: np.ndarray, titles: Sequence[str], head: str) -> None:
    """Lays pictures on the desk, each with its title, and `head` over them.

    pictures: (n, SIDE, SIDE, 3) uint8 sRGB, n up to SHOWN, top row first.
    """
    collection, hall, standing = hall_collection(scene), _hall(scene), pictures_by_number(scene)
    fill_shelf(scene, pictures)
    for index, pixels in enumerate(pictures):
        if index not in standing:
            plane = desk_plane(hall).moved(*picture_corner(index))
            picture = Picture(f"Shelf {index}", SHELF_ROLE, pixels, plane, (PICTURE_EDGE, PICTURE_EDGE))
            add_picture(picture, collection)[SHELF_INDEX] = index
    remove_objects([holder for index, holder in standing.items() if index >= len(pictures)])
    remove_objects(
        [holder for holder in scene.objects if holder.get(OBJECT_ROLE) in (SHELF_TEXT_ROLE, HELD_PICTURE_ROLE)]
    )
    add_plan(plan_desk(hall, titles, head, theme_style(store.read_appearance(scene).theme)), collection)
    update_object_colours(scene)
    glyphs.forget_fonts()


def fill_shelf(scene: bpy.types.Scene, pictures: np.ndarray) -> None:
    """Shows other pictures (n, SIDE, SIDE, 3) uint8 sRGB in place of those on the desk."""
    for index, holder in pictures_by_number(scene).items():
        if index < len(pictures):
            write_pixels(picture_image(holder), pictures[index])


def pictures_by_number(scene: bpy.types.Scene) -> dict[int, bpy.types.Object]:
    """Returns the pictures on the desk by their number."""
    shelf = (holder for holder in scene.objects if holder.get(OBJECT_ROLE) == SHELF_ROLE)
    return {holder[SHELF_INDEX]: holder for holder in shelf if picture_image(holder)}


def outline_held(scene: bpy.types.Scene, index: int) -> None:
    """Outlines the picture that is held; -1 for none."""
    remove_objects([holder for holder in scene.objects if holder.get(OBJECT_ROLE) == HELD_PICTURE_ROLE])
    if index >= 0:
        style = theme_style(store.read_appearance(scene).theme)
        frame = add_plan(plan_held_frame(_hall(scene), index, style), hall_collection(scene))
        update_object_colours(scene, [frame])


def _hall(scene: bpy.types.Scene) -> HallLayout:
    return lay_out(*store.read_description(scene).network.folded())
