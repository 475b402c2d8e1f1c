"""The far and middle words of a hall: gates and house numbers to walkers; stages, blocks and a title in figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np

from ...torch_bridge.recording import Layer, Network
from ..blocks import blocks
from ..layout import Hall, Slot, Stage
from ..stages import title as stage_title
from ..view import View
from . import text
from .boards import facts, plural
from .ground import rim
from .legend import Scale, add_key, add_scale
from .paint import Paint, Plane, ground, wall

LINTEL = (3.60, 3.98)
NUMBER = (0.28, 0.20)
"""Size of a house number."""
STAGE_CAP, BLOCK_CAP = 16 / 1920, 11 / 1920
"""Height of a capital in a figure, as a share of its width."""


def stage_words(stage: Stage, layers: Sequence[Layer]) -> tuple[str, str]:
    """ "27 × 27" and "12 layers"."""
    count = sum(layers[k].role != "joint" for k in range(stage.first, stage.last + 1))
    return stage_title(stage), plural(count, "layer")


def add_gates(
    hall: Hall, layers: Sequence[Layer], palette: dict[str, np.ndarray], collection: bpy.types.Collection
) -> None:
    """A gate before each stage: two posts and a lintel with its words."""
    paint = Paint(palette)
    for stage in hall.stages:
        at = wall((hall.wings[stage.wing].x, stage.start, 0.0), 0.0)
        paint.box(at, (-hall.aisle, hall.aisle), LINTEL, "aisle")
        for side in (-1, 1):
            paint.box(at, (side * hall.aisle - 0.02, side * hall.aisle + 0.02), (0.0, LINTEL[1]), "frame", 0.002)
        words, count = stage_words(stage, layers)
        size = text.fit(f"{words}   {count}", 2 * hall.aisle - 0.2, 0.28)
        whole = text.width(f"{words}   {count}") * size
        wide = paint.words(at, words, size, x=-whole / 2, y=3.715)
        paint.words(at, count, size, "quiet", x=-whole / 2 + wide + text.width("   ") * size, y=3.715)
    paint.build("Gates", "gates", collection)


def add_numbers(hall: Hall, palette: dict[str, np.ndarray], collection: bpy.types.Collection) -> None:
    """House numbers at the foot of posts: they count the layers along the aisle and hide no panel."""
    paint = Paint(palette)
    for number, slot in enumerate(hall.panels, 1):
        at = _number_place(slot)
        paint.box(at, (0.0, NUMBER[0]), (0.0, NUMBER[1]), rim(slot.kind))
        tint = "board" if rim(slot.kind) == "sum" else "text"
        size = text.fit(str(number), NUMBER[0] - 0.06, 0.17)
        paint.words(at, str(number), size, tint, x=NUMBER[0] / 2, y=0.055, align="centre", lift=0.01)
    paint.build("House numbers", "numbers", collection)


def _number_place(slot: Slot) -> Plane:
    """Inside the aisle, facing the entrance, a little before the post."""
    x = slot.x + slot.side * slot.aisle - (NUMBER[0] if slot.side > 0 else 0.0)
    return wall((x, slot.y - 0.03, 0.10), 0.0)


def add_stage_words(
    hall: Hall, layers: Sequence[Layer], view: View, palette: dict[str, np.ndarray], collection: bpy.types.Collection
) -> None:
    """Figures: the stage along the right edge of its plate, and its blocks as a ruler between the plate and its words."""
    paint = Paint(palette)
    size = min(hall.margin / 3.4, STAGE_CAP * view.span / text.CAP)
    for stage in hall.stages:
        words, count = stage_words(stage, layers)
        edge = hall.wings[stage.wing].x + stage.half + hall.margin
        room = stage.end - stage.start
        for body, x, share, tint in ((words, 1.35, 1.0, "text"), (count, 0.4, 0.72, "quiet")):
            at = ground((edge - size * x, stage.start + 0.4 * size, 0.02), math.pi / 2)
            paint.words(at, body, text.fit(body, room, size * share), tint)
    _block_words(hall, layers, view, paint)
    paint.build("Stage words", "words", collection)


def _block_words(hall: Hall, layers: Sequence[Layer], view: View, paint: Paint) -> None:
    size, free = BLOCK_CAP * view.span / text.CAP, {}
    for first, name in blocks(layers):
        slot = hall.slots[first]
        stage = hall.stages[slot.stage]
        y = max(slot.y - 1.2, stage.start + 0.2, free.get(slot.wing, -math.inf))
        length = text.width(name, "mono") * size
        if y > slot.y + 2.0:
            continue
        free[slot.wing] = y + length + 1.2 * size
        edge = slot.x + stage.half + 0.15 + size * 0.3
        paint.words(ground((edge, y, 0.02), math.pi / 2), name, size, "quiet", family="mono")
        paint.box(
            ground((slot.x, y - 0.12, 0.015)),
            (stage.half - 0.35, stage.half + 0.15 + size * 0.3),
            (-0.02, 0.02),
            "quiet",
        )


def add_head(
    network: Network, scale: Scale, kinds: set[str], view: View, palette: dict[str, np.ndarray],
    collection: bpy.types.Collection, title: str | None = None,
) -> None:  # fmt: skip
    """Figures: title top left, legend and key bottom right, on a sheet before the camera."""
    paint, px, tall = Paint(palette), view.span / 1920, 1920 * view.height / view.width
    sheet = Plane(np.array(view.at) - view.back * 300, view.right * px, view.up * px).moved(-960.0, -tall / 2)
    sheet = Plane(sheet.at, view.right, view.up)
    told = facts(network, title)
    at = lambda x, y: sheet.moved(x * px, y * px)  # noqa: E731
    paint.words(at(70, tall - 118), told.name, text.fit(told.name, 900 * px, 92 * px))
    paint.words(at(70, tall - 172), told.counts, 42 * px, "quiet")
    if told.note:
        paint.words(at(70, tall - 226), told.note, 42 * px, "skip")
    add_scale(paint, at(1450, 190), 400 * px, 34 * px, scale)
    add_key(paint, at(1450, 64), 400 * px, 34 * px, kinds)
    paint.build("Title and legend", "head", collection)
