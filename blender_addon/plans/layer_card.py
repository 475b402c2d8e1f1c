"""The card of one layer: name, operation, shape, range, share below zero, and colours."""

from __future__ import annotations

import numpy as np

from ...torch_bridge.recording import Layer, Maps
from ..imaging.statistics import Statistics
from ..layout import HallLayout, Slot
from ..layout.camera_presets import CARD, CARD_GAP
from .legend import ColourScale, add_scale
from .number_text import format_number
from .primitives import FLAT, Plan, Plane, Style, wall

SIZE = 0.105
"""Size of usual text, metres."""
WIDTH, HEIGHT = CARD
PITCH, ROWS = 1.55, 7.0
"""Distance of two lines as a share of SIZE, and how many such lines have room over the colours; more stand closer."""
OPERATIONS = {"add": "sum of two paths", "mul": "product of two paths", "cat": "concatenation"}


def operation_name(layer: Layer) -> str:
    """Returns the operation of a layer as people call it."""
    name = OPERATIONS.get(layer.kind.strip("_").removeprefix("i"), layer.kind)
    return f"{name}, normalised" if layer.shows not in ("", layer.id) else name


def format_shape(shape: tuple[int, int, int], maps: Maps) -> str:
    """Returns a layer's (C, H, W) as "64 channels of 54 × 54", "8 of 64 channels of 54 × 54" or "1000 values".

    maps: what is shown of the layer; those of only some channels are counted.
    """
    channels, height, width = shape
    count = f"{maps.channels} of {channels}" if len(maps.channel_numbers) and maps.channels < channels else channels
    return f"{count} values" if height == width == 1 else f"{count} channels of {height} × {width}"


def format_range(statistics: Statistics) -> str:
    """Returns the range of the finite values, such as "−2.5 to 3"."""
    if not statistics.count:
        return "no finite value"
    return f"{format_number(float(statistics.low))} to {format_number(float(statistics.high))}"


def card_lines(layer: Layer, statistics: Statistics, maps: Maps) -> list[tuple[str, float, str]]:
    """Returns (text, size as a share of SIZE, role of the colour) of each line; a line without text is a gap.

    statistics: of the maps. Each part of the maps' note has a line.
    """
    lines = [
        (layer.id, 1.3, "text"),
        (operation_name(layer), 1.0, "quiet"),
        ("", 0.4, ""),
        (format_shape(layer.map_shape, maps), 1.0, "text"),
        (format_range(statistics), 1.0, "text"),
        (f"{100 * statistics.share_below:.0f} % below zero", 1.0, "text"),
    ]
    if maps.place:
        lines.insert(4, (maps.place, 1.0, "text"))
    if layer.parameters:
        lines.insert(4, (f"{layer.parameters:,} weights", 1.0, "text"))
    if layer.note:
        lines.append((layer.note, 1.0, "quiet"))
    lines += [(part, 1.0, "skip") for part in maps.note.split("; ") if part]
    if statistics.nonfinite:
        lines.append((f"{statistics.nonfinite:,} not finite", 1.0, "skip"))
    return [*lines, ("", 0.3, "")]


def card_plane(hall: HallLayout, slot: Slot) -> Plane:
    """Returns the plane of a panel's card, from its upper left corner, beside the panel on the aisle's side."""
    yaw = hall.yaw(slot)
    left, right = slot.corners(yaw)
    middle = wall(np.append(left if slot.side > 0 else right, slot.bottom + slot.height / 2), yaw)
    return middle.moved(-WIDTH - CARD_GAP if slot.side > 0 else CARD_GAP, min(slot.height / 2, HEIGHT / 2))


def plan_layer_card(
    layer: Layer, statistics: Statistics, scale: ColourScale, corner: Plane, style: Style, maps: Maps
) -> Plan:
    """Plans the card of a layer, WIDTH by HEIGHT metres. corner: its upper left one. Others: as in `card_lines`."""
    plan, y, left = Plan(style, f"{layer.id} card", "card", corner), 0.0, 0.10
    plan.frame(Plane(np.array([0.0, -HEIGHT, 0.0]), FLAT.right, FLAT.up), (WIDTH, HEIGHT))
    lines = card_lines(layer, statistics, maps)
    pitch = SIZE * PITCH * min(1.0, ROWS / sum(share for _, share, _ in lines))
    for text, share, colour in lines:
        y -= pitch * share
        if text:
            plan.text(FLAT, text, style.fit(text, WIDTH - 2 * left, SIZE * share), colour, x=left, y=y)
    add_scale(plan, FLAT.moved(left, y - SIZE * 1.7), WIDTH - 2 * left, SIZE, scale)
    return plan
