"""What hides what in a hall: which points a camera sees past panels and the lintels of gates."""

from __future__ import annotations

import numpy as np

from ..layout.boards import upright_axes
from ..layout.hall_model import HallLayout, Slot
from ..plans.hall_labels import LINTEL

POINTS = (7, 5)
"""Points across and up a panel whose sight is tested."""
NEAR = 25.0
"""Metres along the hall beyond which nothing lies between a camera and a panel that it shows."""


def hidden_share(layout: HallLayout, eye: np.ndarray, slot: Slot) -> float:
    """Returns the share of a panel, 0..1, that other panels and lintels hide from an eye, (3,) metres."""
    right, up = upright_axes(layout.yaw(slot))
    corner = np.append(slot.corners(layout.yaw(slot))[0], slot.bottom)
    across, upwards = (np.linspace(0.02, 0.98, count) for count in POINTS)
    points = corner + (across[:, None, None] * slot.width * right + upwards[None, :, None] * slot.height * up).reshape(
        -1, 3
    )
    hidden = np.zeros(len(points), bool)
    for origin, along, size in _rectangles(layout, slot):
        hidden |= _crosses(eye, points, origin, along, size)
    return float(hidden.mean())


def _rectangles(layout: HallLayout, but: Slot) -> list[tuple[np.ndarray, np.ndarray, tuple[float, float]]]:
    """Returns corner, direction and size of the panels and lintels near one panel, which is left out."""
    found = []
    for slot in layout.panels:
        if slot.index != but.index and abs(slot.y - but.y) < NEAR:
            yaw = layout.yaw(slot)
            corner = np.append(slot.corners(yaw)[0], slot.bottom)
            found.append((corner, upright_axes(yaw)[0], (slot.width, slot.height)))
    for stage in layout.stages:
        if abs(stage.start - but.y) > NEAR:
            continue
        x, half = layout.wings[stage.wing].x, layout.aisle
        corner = np.array([x - half, stage.start, LINTEL[0]])
        found.append((corner, np.array([1.0, 0.0, 0.0]), (2 * half, LINTEL[1] - LINTEL[0])))
    return found


def _crosses(
    eye: np.ndarray, points: np.ndarray, origin: np.ndarray, along: np.ndarray, size: tuple[float, float]
) -> np.ndarray:
    """Returns which of the lines from an eye (3,) to points (n, 3) pass through an upright rectangle, (n,) bool."""
    normal = np.cross(along, (0.0, 0.0, 1.0))
    ahead = points - eye
    steep = ahead @ normal
    share = np.divide((origin - eye) @ normal, steep, out=np.full(len(points), -1.0), where=np.abs(steep) > 1e-9)
    local = eye + share[:, None] * ahead - origin
    inside = (local @ along >= 0) & (local @ along <= size[0]) & (local[:, 2] >= 0) & (local[:, 2] <= size[1])
    return inside & (share > 1e-6) & (share < 1 - 1e-6)
