"""What surrounds a panel's tiles and moves with them: rim, board and labels, in the panel's own coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...torch_bridge.recording import Layer
from ..layout import HallLayout, Slot, label_placement
from ..layout.text_fitting import Label
from ..layout.view import View
from .floor import rim_colour
from .primitives import FLAT, Plan, Plane, Style, wall

FRONT = 0.02
"""Metres by which tiles stand before their rim."""


def panel_plane(hall: HallLayout, slot: Slot) -> Plane:
    """Returns the plane of a panel's tiles: its origin is their lower left corner."""
    yaw = hall.yaw(slot)
    return wall(np.append(slot.corners(yaw)[0], slot.bottom), yaw).moved(0.0, 0.0, FRONT)


def labels_by_slot(
    hall: HallLayout, layers: Sequence[Layer], view: View | None, positions: Mapping[int, str]
) -> dict[int, list[Label]]:
    """Returns the labels over each panel by the slot's index; with a camera, those that it shows well.

    positions: by layer's index, the text below its panel.
    """
    if view is not None and view.span is not None:
        labels = label_placement.panel_labels(hall, layers, view, positions)
    else:
        labels = label_placement.walk_labels(hall, layers, view)
    result: dict[int, list[Label]] = {}
    for label in labels:
        result.setdefault(label.slot, []).append(label)
    return result


def plan_panel_frame(
    hall: HallLayout,
    slot: Slot,
    size: tuple[float, float],
    labels: Sequence[Label],
    note: str,
    style: Style,
) -> Plan:
    """Plans rim, board and labels of a panel with tiles over `size` metres; the note stands in the middle."""
    plan = Plan(style, "Frame", "frame", panel_plane(hall, slot))
    plan.frame(FLAT.moved(0.0, 0.0, -FRONT), size, rim_colour(slot.kind))
    for label in labels:
        _add_label(plan, hall, slot, label, size[1] - slot.height)
    if note:
        middle = FLAT.moved(size[0] / 2, size[1] / 2)
        plan.text(middle, note, style.fit(note, size[0] * 0.9, 0.12), "quiet", align="centre", lift=0.01)
    return plan


def _add_label(plan: Plan, hall: HallLayout, slot: Slot, label: Label, raised: float) -> None:
    """Adds a label `raised` metres over its place in the layout; in figures on a strip of the floor's colour."""
    corner = np.append(slot.corners(hall.yaw(slot))[0], slot.bottom)
    x, y = (float(np.dot(np.subtract(label.position, corner), axis)) for axis in (label.right, label.up))
    y += raised
    if hall.parallel_yaw is not None:
        width = plan.style.measure(label.text, label.font) * label.size
        pad = 0.2 * label.size
        plan.box(FLAT, (x - pad, x + width + pad), (y - pad, y + 0.68 * label.size), "floor", -0.01)
    plan.text(FLAT, label.text, label.size, label.tone, x=x, y=y, align=label.align, font=label.font, lift=0.0)
