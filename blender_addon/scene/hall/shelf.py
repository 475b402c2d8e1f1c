"""The shelf: pictures of a data set on a desk before the input's frame, to be taken and placed into it."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ... import layout
from ...layout import boards
from ...properties import HELD_PICTURE_ROLE, OBJECT_ROLE, SHELF_INDEX, SHELF_ROLE, SHELF_TEXT_ROLE
from ..paint import glyphs
from ..paint.meshes import FLAT, Kit, Paint, Plane
from ..paint.pictures import add_picture, image_in, set_pixels
from ..state.parts import collection_of
from . import store
from .build import remove

COLUMNS, ROWS = 6, 3
SHOWN = COLUMNS * ROWS
"""Pictures on the desk."""
SIDE = 96
"""Pixels of a picture."""
PICTURE_SHARE, WORD = 0.78, 0.034
"""Of a place the picture's share; size of the words under it, metres."""


def set_shelf(scene: bpy.types.Scene, pictures: np.ndarray, titles: Sequence[str], head: str) -> None:
    """Lay pictures (n, SIDE, SIDE, 3) uint8 sRGB on the desk, each with its title; `head` over them. n up to SHOWN."""
    kit = Kit.of(store.dress_of(scene).theme, collection_of(scene))
    desk, standing = _desk(scene), shelved(scene)
    fill(scene, pictures)
    for index, pixels in enumerate(pictures):
        if index not in standing:
            edge = PICTURE_SHARE * _pitch()
            one = add_picture(f"Shelf {index}", pixels, desk.moved(*_corner(index)), (edge, edge), SHELF_ROLE, kit)
            one[SHELF_INDEX] = index
    remove([one for index, one in standing.items() if index >= len(pictures)])
    remove([one for one in scene.objects if one.get(OBJECT_ROLE) in (SHELF_TEXT_ROLE, HELD_PICTURE_ROLE)])
    _write(kit, desk, titles, head)
    glyphs.forget_fonts()


def fill(scene: bpy.types.Scene, pictures: np.ndarray) -> None:
    """New pixels, in place, for the pictures that lie there."""
    for index, holder in shelved(scene).items():
        if index < len(pictures):
            set_pixels(image_in(holder), pictures[index])


def shelved(scene: bpy.types.Scene) -> dict[int, bpy.types.Object]:
    """The pictures on the desk by their number."""
    return {one[SHELF_INDEX]: one for one in scene.objects if one.get(OBJECT_ROLE) == SHELF_ROLE and image_in(one)}


def mark(scene: bpy.types.Scene, index: int) -> None:
    """Outline the picture that is held; -1 for none."""
    remove([one for one in scene.objects if one.get(OBJECT_ROLE) == HELD_PICTURE_ROLE])
    if index < 0:
        return
    kit = Kit.of(store.dress_of(scene).theme, collection_of(scene))
    paint, edge, line = Paint(kit), PICTURE_SHARE * _pitch(), 0.012
    for near, far in ((-line, 0.0), (edge, edge + line)):
        paint.box(FLAT, (-line, edge + line), (near, far), "skip", 0.03)
        paint.box(FLAT, (near, far), (-line, edge + line), "skip", 0.03)
    paint.build("Held picture", HELD_PICTURE_ROLE, _desk(scene).moved(*_corner(index)))


def _desk(scene: bpy.types.Scene) -> Plane:
    network = store.described(scene).network
    desk = boards.shelf_desk(layout.lay_out(*network.folded()))
    return Plane(*(np.array(part) for part in (desk.position, desk.right, desk.up)))


def _pitch() -> float:
    return boards.DESK[0] / COLUMNS


def _corner(index: int) -> tuple[float, float]:
    """Lower left corner of a picture on the desk, row by row from the far left."""
    row, column = divmod(index, COLUMNS)
    pitch, margin = _pitch(), (1 - PICTURE_SHARE) * _pitch() / 2
    return column * pitch + margin, (ROWS - 1 - row) * pitch + 1.6 * margin


def _write(kit: Kit, desk: Plane, titles: Sequence[str], head: str) -> None:
    paint, pitch = Paint(kit), _pitch()
    paint.frame(FLAT, (COLUMNS * pitch, ROWS * pitch))
    for index, title in enumerate(titles):
        x, y = _corner(index)
        size = glyphs.fit(title, pitch * 0.95, WORD)
        middle = x + PICTURE_SHARE * pitch / 2
        paint.words(FLAT, title, size, "quiet", x=middle, y=y - 1.15 * WORD, align="centre", lift=0.02)
    paint.words(FLAT, head, glyphs.fit(head, COLUMNS * pitch, 0.07), x=0.0, y=ROWS * pitch + 0.08, lift=0.02)
    paint.build("Shelf", SHELF_TEXT_ROLE, desk)
