"""Cameras computed from the layout: overview, walk, entrance, layer, tile."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .route import MARGIN
from .slots import EYE, HALF, Hall, Slot
from .view import SENSOR, View

AZIMUTH, ELEVATION = math.radians(57), math.radians(38)
AWAY = 800.0
"""Metres between an orthographic camera and what it shows."""
ROOM = 1.05
"""The picture is this much wider than what it shows."""
NORMAL = 27.0
"""Span in metres up to which input and class board keep their size; beyond it they grow with it."""


def wall(yaw: float) -> np.ndarray:
    """(2, 3) right and up of a standing face."""
    return np.array([(math.cos(yaw), math.sin(yaw), 0.0), (0.0, 0.0, 1.0)])


def overview(hall: Hall, width: int, height: int, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> View:
    """Orthographic camera around everything that stands, with the span that holds it."""
    away = (math.sin(azimuth) * math.cos(elevation), -math.cos(azimuth) * math.cos(elevation), math.sin(elevation))
    view = View(away, (0.0, 0.0, 0.0), width, height, span=1.0)
    for _ in range(2):
        view = _around(view, _standing(hall, max(1.0, (view.span or 1.0) / NORMAL)))
    return view


def _around(view: View, points: np.ndarray) -> View:
    """The same direction, moved and widened to hold all points (n, 3)."""
    u, v = points @ view.right, points @ view.up
    span = max(np.ptp(u), np.ptp(v) * view.width / view.height) * ROOM
    centre = view.right * (u.max() + u.min()) / 2 + view.up * (v.max() + v.min()) / 2
    return replace(view, at=tuple(centre + view.back * AWAY), look=tuple(centre), span=float(span))


def _standing(hall: Hall, big: float) -> np.ndarray:
    """(n, 3) corners of panels with their names, input, class board, plates with their words."""
    first, last = hall.wings[0], hall.wings[-1]
    yaw = hall.louvre or 0.0
    along = wall(yaw)[0]
    points = [(*q, z) for s in hall.panels for q in s.corners(hall.yaw(s)) for z in (0.0, s.top + 0.5)]
    points += [np.array([first.x - HALF, 2.6, z]) - along * 2.2 * big for z in (0.0, 1 + 2.4 * big)]
    points += [
        np.array([last.x, last.end + 4, z]) + along * 1.8 * d * big for z in (0.0, 0.7 + 2.8 * big) for d in (0, 2)
    ]
    points += [(hall.wings[r.wing].x + r.half + MARGIN, y, 0.0) for r in hall.stages for y in (r.start, r.end)]
    return np.array([tuple(point) for point in points])


def walk(hall: Hall, y: float, width: int, height: int, lens: float = 20.0) -> View:
    """A walker in the aisle of the first wing at `y`, looking slightly up along it."""
    x = hall.wings[0].x
    return View((x, y, EYE), (x, y + 10, EYE + 0.15), width, height, lens)


def entrance(hall: Hall, width: int, height: int) -> View:
    """A walker before the hall: input left, first gate in the middle, title board right."""
    return walk(hall, -3.5, width, height)


def layer(hall: Hall, slot: Slot, width: int, height: int) -> View:
    """From the middle of the aisle on the panel's normal, wide enough for the panel and its card."""
    yaw = hall.yaw(slot)
    left, right = slot.corners(yaw)
    axes = wall(yaw)
    centre = np.append((left + right) / 2, slot.bottom + slot.height / 2 + 0.08) - axes[0] * slot.side * 0.7
    distance = abs(centre[0] - slot.x) / abs(math.sin(yaw))
    need = max((slot.width + 1.4) / 0.90, slot.height / 0.80 * width / height)
    at = centre + np.cross(*axes) * distance
    return View(tuple(at), tuple(centre), width, height, SENSOR * distance / need)


def tile(hall: Hall, slot: Slot, width: int, height: int) -> View:
    """Close to the panel's first tiles, five wide, 14° off the normal, so that values are seen."""
    yaw = hall.yaw(slot)
    axes = wall(yaw)
    left = np.append(slot.corners(yaw)[0], slot.bottom)
    centre = left + axes[0] * slot.cell[0] * 2.5 + axes[1] * (slot.height - slot.cell[1] * 1.5)
    at = centre + np.cross(*wall(yaw + 0.25)) * slot.cell[0] * 5.6 * 50 / SENSOR
    return View(tuple(at), tuple(centre), width, height, 50.0)
