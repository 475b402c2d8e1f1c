"""Labels that are read from far: gates and layer numbers for walkers; stages, blocks and a title in figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ...torch_bridge.recording import Layer
from ..layout import HallLayout, Slot, Stage, camera_presets, label_placement
from ..layout.stages import stage_title
from ..layout.text_fitting import Label, layer_numbers
from ..layout.view import View
from .floor import rim_colour
from .legend import ColourScale, add_edge_key, add_scale
from .number_text import format_count
from .primitives import Plan, Plane, Style, ground, wall
from .title_board import TitleFacts

LINTEL = (3.60, 3.98)
"""Lower and upper edge of a gate's lintel, metres."""
NUMBER = (0.28, 0.20)
"""Width and height of a layer number, metres."""
HEAD, BODY, KEY = 88.0, 40.0, 32.0
"""Sizes of a figure's title, of the text below it and of its legend, in pixels of a picture 1920 wide."""
CAPTIONED, ABOVE_CAPTION = 0.78, 38.0
"""Where a title has a caption: share of these sizes, and the height of the text above it in such pixels."""


def plan_gates(hall: HallLayout, layers: Sequence[Layer], style: Style) -> Plan:
    """Plans a gate before each stage: two posts and a lintel with the stage's title."""
    plan = Plan(style, "Gates", "gates")
    for stage in hall.stages:
        plane = wall((hall.wings[stage.wing].x, stage.start, 0.0), 0.0)
        plan.box(plane, (-hall.aisle, hall.aisle), LINTEL, "aisle")
        for x in (-hall.aisle, hall.aisle):
            plan.box(plane, (x - 0.02, x + 0.02), (0.0, LINTEL[1]), "frame", 0.002)
        _add_lintel(plan, plane, stage, layers, 2 * hall.aisle - 0.2)
    return plan


def _add_lintel(plan: Plan, plane: Plane, stage: Stage, layers: Sequence[Layer], room: float) -> None:
    """Adds "27 × 27   12 layers" in the middle of a lintel."""
    count = format_count(sum(layers[k].role != "joint" for k in range(stage.first, stage.last + 1)), "layer")
    title, style = stage_title(stage), plan.style
    size = style.fit(f"{title}   {count}", room, 0.28)
    start = -style.measure(f"{title}   {count}", "sans") * size / 2
    width = style.measure(f"{title}   ", "sans") * size
    plan.text(plane, title, size, x=start, y=3.715)
    plan.text(plane, count, size, "quiet", x=start + width, y=3.715)


def plan_layer_numbers(hall: HallLayout, style: Style) -> Plan:
    """Plans numbers at the feet of the posts, which count the layers along the aisle and hide no panel."""
    plan, numbers = Plan(style, "House numbers", "numbers"), layer_numbers(hall.slots)
    for slot in hall.panels:
        plane, text = _number_plane(slot), str(numbers[slot.index])
        plan.box(plane, (0.0, NUMBER[0]), (0.0, NUMBER[1]), rim_colour(slot.kind))
        colour = "board" if rim_colour(slot.kind) == "sum" else "text"
        size = style.fit(text, NUMBER[0] - 0.06, 0.17)
        plan.text(plane, text, size, colour, x=NUMBER[0] / 2, y=0.055, align="centre", lift=0.01)
    return plan


def _number_plane(slot: Slot) -> Plane:
    """Returns a plane inside the aisle that faces the entrance, a little before the post."""
    x = slot.x + slot.side * slot.aisle - (NUMBER[0] if slot.side > 0 else 0.0)
    return wall((x, slot.y - 0.03, 0.10), 0.0)


def plan_floor_labels(hall: HallLayout, layers: Sequence[Layer], view: View, style: Style) -> Plan:
    """Plans a figure's labels: stages along the right edge of their plates, and blocks like the marks of a ruler."""
    plan = Plan(style, "Stage words", "words")
    for label in label_placement.stage_labels(hall, view):
        _add_label(plan, label)
    for label in label_placement.block_labels(hall, layers, view):
        _add_label(plan, label)
        plane = ground((label.position[0] - 0.7 * label.size, label.position[1] - 0.12, 0.015))
        plan.box(plane, (0.0, 0.9 * label.size), (-0.02, 0.02), "quiet")
    return plan


def _add_label(plan: Plan, label: Label) -> None:
    """Adds a label where the layout has placed it."""
    plane = Plane(np.array(label.position), np.array(label.right), np.array(label.up))
    plan.text(plane, label.text, label.size, label.tone, align=label.align, font=label.font, lift=0.0)


def plan_head(facts: TitleFacts, scale: ColourScale, kinds: Iterable[str], view: View, style: Style) -> Plan:
    """Plans a figure's title top left, and legend and key of edges bottom right, in corners the camera leaves free."""
    plan = Plan(style, "Title and legend", "head")
    title_corner, key_corner = camera_presets.free_corners(view)
    plane, pixel = _corner_plane(title_corner, view)
    room, share = title_corner.width * pixel, CAPTIONED if facts.caption else 1.0
    size, y = style.fit(facts.name, room, HEAD * share * pixel), (title_corner.height - 0.52 * HEAD * share) * pixel
    plan.text(plane, facts.name, size, y=y)
    size = style.fit(f"{facts.counts}  {facts.note}", room, BODY * share * pixel)
    y = (4 + ABOVE_CAPTION * bool(facts.caption)) * pixel
    width = plan.text(plane, facts.counts, size, "quiet", y=y)
    if facts.note:
        plan.text(plane, facts.note, size, "skip", x=width + 0.8 * size, y=y)
    if facts.caption:
        plan.text(plane, facts.caption, style.fit(facts.caption, room, KEY * share * pixel), "skip", y=4 * pixel)
    plane, pixel = _corner_plane(key_corner, view)
    width = key_corner.width * pixel
    add_scale(plan, plane.moved(0.0, 130 * pixel), width, KEY * pixel, scale)
    add_edge_key(plan, plane.moved(0.0, 4 * pixel), width, KEY * pixel, kinds)
    return plan


def _corner_plane(corner: camera_presets.FigureCorner, view: View) -> tuple[Plane, float]:
    """Returns the plane of a free corner, and metres of one pixel there."""
    origin, pixel = corner.place(view)
    return Plane(origin, view.right, view.up), pixel
