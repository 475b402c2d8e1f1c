"""What hides what in a hall: which points a camera sees past panels and the lintels of gates."""

from __future__ import annotations

import numpy as np

from ..layout.boards import upright_axes
from ..layout.hall_model import HallLayout, Slot
from ..plans.hall_labels import LINTEL

POINTS = (11, 5)
"""Points across and up a panel whose sight is tested."""


def panel_points(layout: HallLayout, slot: Slot) -> np.ndarray:
    """Returns points spread over a panel, (n, 3) float64 metres."""
    right, up = upright_axes(layout.yaw(slot))
    corner = np.append(slot.corners(layout.yaw(slot))[0], slot.bottom)
    across, upwards = (np.linspace(0.02, 0.98, count) for count in POINTS)
    shifts = across[:, None, None] * slot.width * right + upwards[None, :, None] * slot.height * up
    points: np.ndarray = corner + shifts.reshape(-1, 3)
    return points


def hidden_points(layout: HallLayout, eyes: np.ndarray, slot: Slot) -> np.ndarray:
    """Returns which of a panel's points other panels and lintels hide from eyes (m, 3), metres: (m, n) bool."""
    points = panel_points(layout, slot)
    hidden = np.zeros((len(eyes), len(points)), bool)
    low, high = min(float(eyes[:, 1].min()), points[:, 1].min()), max(float(eyes[:, 1].max()), points[:, 1].max())
    for origin, along, size in _rectangles(layout, slot, (low, high)):
        hidden |= _crosses(eyes[:, None], points, origin, along, size)
    return hidden


def hidden_share(layout: HallLayout, eye: np.ndarray, slot: Slot) -> float:
    """Returns the share of a panel, 0..1, that other panels and lintels hide from an eye, (3,) metres."""
    return float(hidden_points(layout, eye[None], slot).mean())


def _rectangles(
    layout: HallLayout, but: Slot, room: tuple[float, float]
) -> list[tuple[np.ndarray, np.ndarray, tuple[float, float]]]:
    """Returns corner, direction and size of the panels and lintels between two y; one panel is left out."""
    found = []
    for slot in layout.panels:
        if slot.index != but.index and room[0] <= slot.y <= room[1] + slot.width:
            yaw = layout.yaw(slot)
            corner = np.append(slot.corners(yaw)[0], slot.bottom)
            found.append((corner, upright_axes(yaw)[0], (slot.width, slot.height)))
    for stage in layout.stages:
        if room[0] <= stage.start <= room[1]:
            x, half = layout.wings[stage.wing].x, layout.aisle
            corner = np.array([x - half, stage.start, LINTEL[0]])
            found.append((corner, np.array([1.0, 0.0, 0.0]), (2 * half, LINTEL[1] - LINTEL[0])))
    return found


def _crosses(
    eyes: np.ndarray, points: np.ndarray, origin: np.ndarray, along: np.ndarray, size: tuple[float, float]
) -> np.ndarray:
    """Returns which lines from eyes (m, 1, 3) to points (n, 3) pass through an upright rectangle, (m, n) bool."""
    normal = np.cross(along, (0.0, 0.0, 1.0))
    ahead = points - eyes
    steep = ahead @ normal
    share = np.divide((origin - eyes) @ normal, steep, out=np.full(steep.shape, -1.0), where=np.abs(steep) > 1e-9)
    local = eyes + share[..., None] * ahead - origin
    sideways, height = local @ along, local[..., 2]
    inside = (sideways >= 0) & (sideways <= size[0]) & (height >= 0) & (height <= size[1])
    crossed: np.ndarray = inside & (share > 1e-6) & (share < 1 - 1e-6)
    return crossed
