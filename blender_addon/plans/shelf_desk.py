"""The desk before the input's frame, with pictures of a data set in rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..layout import HallLayout, boards
from ..properties import HELD_PICTURE_ROLE, SHELF_TEXT_ROLE
from .primitives import FLAT, Plan, Plane, Style

COLUMNS, ROWS = 6, 3
SHOWN = COLUMNS * ROWS
"""Pictures on the desk."""
PITCH = boards.DESK[0] / COLUMNS
"""Metres from one picture to the next."""
PICTURE_SHARE = 0.78
"""Share of the pitch that a picture takes."""
PICTURE_EDGE = PICTURE_SHARE * PITCH
"""Width and height of a picture, metres."""
TITLE, HEAD = 0.034, 0.07
"""Size of the titles under the pictures and of the text over the desk, metres."""


def desk_plane(hall: HallLayout) -> Plane:
    """Returns the plane of the desk, from its lower left corner."""
    desk = boards.shelf_desk(hall)
    return Plane(np.array(desk.position), np.array(desk.right), np.array(desk.up))


def picture_corner(index: int) -> tuple[float, float]:
    """Returns the lower left corner of a picture on the desk in metres; rows run from the far left."""
    row, column = divmod(index, COLUMNS)
    margin = (1 - PICTURE_SHARE) * PITCH / 2
    return column * PITCH + margin, (ROWS - 1 - row) * PITCH + 1.6 * margin


def plan_desk(hall: HallLayout, titles: Sequence[str], head: str, style: Style) -> Plan:
    """Plans the desk with a title under each picture and `head` over them all."""
    plan = Plan(style, "Shelf", SHELF_TEXT_ROLE, desk_plane(hall))
    plan.frame(FLAT, (COLUMNS * PITCH, ROWS * PITCH))
    for index, title in enumerate(titles):
        x, y = picture_corner(index)
        size, middle = style.fit(title, PITCH * 0.95, TITLE), x + PICTURE_EDGE / 2
        plan.text(FLAT, title, size, "quiet", x=middle, y=y - 1.15 * TITLE, align="centre", lift=0.02)
    plan.text(FLAT, head, style.fit(head, COLUMNS * PITCH, HEAD), x=0.0, y=ROWS * PITCH + 0.08, lift=0.02)
    return plan


def plan_held_frame(hall: HallLayout, index: int, style: Style) -> Plan:
    """Plans the frame around the picture that is held."""
    plan = Plan(style, "Held picture", HELD_PICTURE_ROLE, desk_plane(hall).moved(*picture_corner(index)))
    line = 0.012
    for near, far in ((-line, 0.0), (PICTURE_EDGE, PICTURE_EDGE + line)):
        plan.box(FLAT, (-line, PICTURE_EDGE + line), (near, far), "skip", 0.03)
        plan.box(FLAT, (near, far), (-line, PICTURE_EDGE + line), "skip", 0.03)
    return plan
