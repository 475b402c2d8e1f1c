"""The floor: ground, stage plates, aisle, tick lines, and the foot and post of every panel."""

from __future__ import annotations

import math

import numpy as np

from ..layout import HallLayout
from .primitives import FLAT, Plan, Style, ground, wall

FAR = 900.0
"""Metres from the middle of the ground to its edges."""
TICK = 2.0
"""Metres between two tick lines, which show scale and speed."""
FOOT, POST = 0.03, 0.018
"""Half the width of a panel's line on the floor, and of its post; metres."""


def plan_floor(hall: HallLayout, style: Style) -> Plan:
    """Plans the floor; that of a figure ends with its plates, which carry the labels of the stages."""
    plan = Plan(style, "Floor", "floor")
    figure = hall.parallel_yaw is not None
    if not figure:
        plan.box(FLAT, (-FAR, FAR), (-FAR, FAR + hall.wings[-1].end), "floor", -0.004)
    for number, stage in enumerate(hall.stages):
        x, ends = hall.wings[stage.wing].x, (stage.start, stage.end)
        right = stage.half + hall.margin
        plan.box(FLAT, (x - stage.half, x + right), ends, "plate" if number % 2 else "plate2", 0.004)
        plan.box(FLAT, (x - hall.aisle, x + hall.aisle), ends, "aisle", 0.008)
        for y in () if figure else np.arange(math.ceil(stage.start / TICK) * TICK, stage.end, TICK):
            plan.box(FLAT, (x - stage.half, x + stage.half), (y - 0.008, y + 0.008), "tick", 0.012)
    _add_posts(hall, plan)
    return plan


def _add_posts(hall: HallLayout, plan: Plan) -> None:
    for slot in hall.panels:
        yaw, colour = hall.yaw(slot), rim_colour(slot.kind)
        left = slot.corners(yaw)[0]
        plan.box(ground((*left, 0.012), yaw), (0.0, slot.width), (-FOOT, FOOT), colour)
        plan.box(wall((slot.x + slot.side * hall.aisle, slot.y, 0.0), yaw), (-POST, POST), (0.0, slot.bottom), colour)


def rim_colour(kind: str) -> str:
    """Returns the role of the colour around a panel of a slot's kind."""
    return "sum" if kind in ("sum", "product") else "frame"
