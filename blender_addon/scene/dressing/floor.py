"""The floor: ground, stage plates, aisle, tick lines, and the foot and post of every panel."""

from __future__ import annotations

import math

import numpy as np

from ...layout import Hall
from ..paint.meshes import FLAT, Kit, Paint, ground, wall

FAR = 900.0
"""How far the ground reaches."""
TICK = 2.0
"""Between two tick lines: they give scale and speed."""
FOOT, POST = 0.03, 0.018
"""Half the width of a panel's line on the floor and of its post."""


def add_ground(hall: Hall, kit: Kit) -> None:
    """Floor and what lies on it; a figure has no ground beyond its plates, which carry the words of the stages."""
    paint = Paint(kit)
    figure = hall.parallel_yaw is not None
    if not figure:
        paint.box(FLAT, (-FAR, FAR), (-FAR, FAR + hall.wings[-1].end), "floor", -0.004)
    for number, stage in enumerate(hall.stages):
        x, ends = hall.wings[stage.wing].x, (stage.start, stage.end)
        right = stage.half + hall.margin
        paint.box(FLAT, (x - stage.half, x + right), ends, "plate" if number % 2 else "plate2", 0.004)
        paint.box(FLAT, (x - hall.aisle, x + hall.aisle), ends, "aisle", 0.008)
        for y in () if figure else np.arange(math.ceil(stage.start / TICK) * TICK, stage.end, TICK):
            paint.box(FLAT, (x - stage.half, x + stage.half), (y - 0.008, y + 0.008), "tick", 0.012)
    _posts(hall, paint)
    paint.build("Floor", "floor")


def _posts(hall: Hall, paint: Paint) -> None:
    for slot in hall.panels:
        yaw, tint = hall.yaw(slot), rim(slot.kind)
        left = slot.corners(yaw)[0]
        paint.box(ground((*left, 0.012), yaw), (0.0, slot.width), (-FOOT, FOOT), tint)
        paint.box(wall((slot.x + slot.side * hall.aisle, slot.y, 0.0), yaw), (-POST, POST), (0.0, slot.bottom), tint)


def rim(kind: str) -> str:
    """Role of the colour around a panel."""
    return "sum" if kind in ("sum", "product") else "frame"
