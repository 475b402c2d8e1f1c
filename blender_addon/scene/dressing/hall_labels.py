"""The far and middle words of a hall: gates and house numbers to walkers; stages, blocks and a title in figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ....torch_bridge.recording import Layer
from ...layout import Hall, Slot, Stage, camera_presets
from ...layout import label_placement as plan
from ...layout.stages import stage_title
from ...layout.text_fitting import Label, house_numbers
from ...layout.view import View
from ..paint import glyphs
from ..paint.meshes import Kit, Paint, Plane, ground, wall
from .entrance_boards import Facts, plural
from .floor import rim
from .legend import Scale, add_key, add_scale

LINTEL = (3.60, 3.98)
NUMBER = (0.28, 0.20)
"""Size of a house number."""
RULER = 0.35
"""How far the mark of a block reaches over its plate."""
HEAD, BODY = 88.0, 40.0
"""Sizes of a figure's title and of the other words in its corners, pixels of 1920."""


def paint_word(paint: Paint, word: Label, lift: float = 0.0) -> None:
    """A word where the plan has put it."""
    plane = Plane(np.array(word.position), np.array(word.right), np.array(word.up))
    paint.words(plane, word.text, word.size, word.tone, align=word.align, family=word.font, lift=lift)


def add_gates(hall: Hall, layers: Sequence[Layer], kit: Kit) -> None:
    """A gate before each stage: two posts and a lintel with its words."""
    paint = Paint(kit)
    for stage in hall.stages:
        at = wall((hall.wings[stage.wing].x, stage.start, 0.0), 0.0)
        paint.box(at, (-hall.aisle, hall.aisle), LINTEL, "aisle")
        for x in (-hall.aisle, hall.aisle):
            paint.box(at, (x - 0.02, x + 0.02), (0.0, LINTEL[1]), "frame", 0.002)
        _lintel(paint, at, stage, layers, 2 * hall.aisle - 0.2)
    paint.build("Gates", "gates")


def _lintel(paint: Paint, at: Plane, stage: Stage, layers: Sequence[Layer], room: float) -> None:
    """ "27 × 27   12 layers" in the middle."""
    count = plural(sum(layers[k].role != "joint" for k in range(stage.first, stage.last + 1)), "layer")
    size = glyphs.fit(f"{stage_title(stage)}   {count}", room, 0.28)
    start = -glyphs.width(f"{stage_title(stage)}   {count}") * size / 2
    wide = glyphs.width(f"{stage_title(stage)}   ") * size
    paint.words(at, stage_title(stage), size, x=start, y=3.715)
    paint.words(at, count, size, "quiet", x=start + wide, y=3.715)


def add_numbers(hall: Hall, kit: Kit) -> None:
    """House numbers at the foot of posts: they count the layers along the aisle and hide no panel."""
    paint, numbers = Paint(kit), house_numbers(hall.slots)
    for slot in hall.panels:
        at, body = _number_place(slot), str(numbers[slot.index])
        paint.box(at, (0.0, NUMBER[0]), (0.0, NUMBER[1]), rim(slot.kind))
        tint = "board" if rim(slot.kind) == "sum" else "text"
        size = glyphs.fit(body, NUMBER[0] - 0.06, 0.17)
        paint.words(at, body, size, tint, x=NUMBER[0] / 2, y=0.055, align="centre", lift=0.01)
    paint.build("House numbers", "numbers")


def _number_place(slot: Slot) -> Plane:
    """Inside the aisle, facing the entrance, a little before the post."""
    x = slot.x + slot.side * slot.aisle - (NUMBER[0] if slot.side > 0 else 0.0)
    return wall((x, slot.y - 0.03, 0.10), 0.0)


def add_floor_words(hall: Hall, layers: Sequence[Layer], view: View, kit: Kit) -> None:
    """Figures: stages along the right edge of their plates, and their blocks like the marks of a ruler."""
    paint = Paint(kit)
    for word in plan.stage_labels(hall, view):
        paint_word(paint, word)
    blocks = plan.block_labels(hall, layers, view)
    for word in blocks:
        paint_word(paint, word)
        edge = word.position[0] - plan.WAY - 0.62 * word.size
        paint.box(ground((edge, word.position[1] - 0.12, 0.015)), (-RULER, plan.WAY - 0.1), (-0.02, 0.02), "quiet")
    if paint:
        paint.build("Stage words", "words")


def add_head(told: Facts, scale: Scale, kinds: Iterable[str], view: View, kit: Kit) -> None:
    """Figures: title top left, legend and key of edges bottom right, in the corners that the camera leaves free."""
    paint = Paint(kit)
    title_corner, key_corner = camera_presets.corners(view)
    at, px = _corner(title_corner, view)
    room = title_corner.width * px
    paint.words(at, told.name, glyphs.fit(told.name, room, HEAD * px), y=(title_corner.height - 0.52 * HEAD) * px)
    body = glyphs.fit(f"{told.counts}  {told.note}", room, BODY * px)
    wide = paint.words(at, told.counts, body, "quiet", y=4 * px)
    if told.note:
        paint.words(at, told.note, body, "skip", x=wide + 0.8 * body, y=4 * px)
    at, px = _corner(key_corner, view)
    size = 32.0 * px
    add_scale(paint, at.moved(0.0, 130 * px), key_corner.width * px, size, scale)
    add_key(paint, at.moved(0.0, 4 * px), key_corner.width * px, size, kinds)
    paint.build("Title and legend", "head")


def _corner(corner: camera_presets.FigureCorner, view: View) -> tuple[Plane, float]:
    at, px = corner.place(view)
    return Plane(at, view.right, view.up), px
