"""An arc before a panel, or around the beginning of a hall, seen from above its rails."""

from __future__ import annotations

import math

import numpy as np

from ...layout.hall_model import EYE_HEIGHT, Slot
from ...layout.view import SENSOR, View
from ..camera_track import ORBIT_TURNING, WINDOW, CameraLimits, CameraTrack, Pose, plan_track
from ..film_hall import FilmHall, panel_corners, panel_distances
from ..sight import hidden_share
from .dollying import reading_pose
from .walking import DIMENSIONS

HEIGHT, RADIUS = 5.8, 10.6
"""Height of the camera around a hall's beginning, metres: over gates and rails; metres on the floor to it."""
LENS = 24.0
"""Millimetres."""
SECONDS = 8.0
"""Usual duration."""
FRONT = -math.pi / 2
"""Direction from a hall's beginning to the middle of the arc, radians: panels are seen from the entrance."""
MOST = math.radians(50)
"""Greatest angle of the arc: further around, panels are seen from behind."""
PANEL_MOST, STEP = math.radians(28), math.radians(2)
"""Greatest angle to each side of a panel's normal, and the steps in which it is tried."""
MARGIN = 0.9
"""Share of the picture that the panel may fill."""
CLEARANCE, HIDDEN = 0.5, 0.05
"""Least metres to any panel, and the share of the panel that may be hidden."""


def orbit_track(
    hall: FilmHall, size: DIMENSIONS, rate: float, speed: float, seconds: float | None, layer: str | None
) -> CameraTrack:
    """Returns the track on a circle before a layer's panel, in the aisle, or before the hall. Raises UnknownName."""
    duration = seconds or SECONDS
    if layer is None:
        focus = np.array([hall.x, hall.layout.stages[0].start + 1.0, EYE_HEIGHT])
        return _circle(focus, HEIGHT, RADIUS, FRONT, (rate, speed, duration))
    return _before_panel(hall, hall.slot(layer), (rate, speed, duration), size)


def _before_panel(hall: FilmHall, slot: Slot, times: tuple[float, float, float], size: DIMENSIONS) -> CameraTrack:
    """Returns the track on an arc in the aisle, as long as the whole panel is seen from it."""
    reading = reading_pose(hall, slot, size)
    focus, start = np.array(reading.target), np.array(reading.position)
    radius, middle = math.hypot(*(start - focus)[:2]), math.atan2(start[1] - focus[1], start[0] - focus[0])

    def place(turn: float) -> np.ndarray:
        return np.array(
            [*(focus[:2] + radius * np.array([math.cos(middle + turn), math.sin(middle + turn)])), start[2]]
        )

    ends = []
    for way in (-STEP, STEP):
        turn = 0.0
        while abs(turn + way) <= PANEL_MOST and _is_good(hall, slot, place(turn + way)):
            turn += way
        ends.append(turn)
    rate, speed, duration = times
    places = [_triple(place(turn)) for turn in np.linspace(ends[0], ends[1], 9).tolist()]
    lens = min(_longest_lens(View(each, reading.target, *size), panel_corners(hall.layout, slot)) for each in places)
    poses = [Pose(each, reading.target, lens) for each in places]
    return plan_track(poses, rate, CameraLimits(speed, ORBIT_TURNING), duration)


def _longest_lens(view: View, points: np.ndarray) -> float:
    """Returns the focal length in millimetres with which a camera just sees all points (n, 3)."""
    x, y, depth = ((points - view.position) @ view.axes.T * (1, 1, -1)).T
    tall = view.width / view.height
    return MARGIN * SENSOR / 2 / float(np.max(np.maximum(np.abs(x), np.abs(y) * tall) / np.maximum(depth, 1e-3)))


def _is_good(hall: FilmHall, slot: Slot, place: np.ndarray) -> bool:
    """Returns whether a camera at a place (3,) has room and sees a whole panel."""
    return bool(panel_distances(hall.layout, place[None])[0] >= CLEARANCE) and (
        hidden_share(hall.layout, place, slot) <= HIDDEN
    )


def _circle(
    focus: np.ndarray, height: float, radius: float, middle: float, times: tuple[float, float, float]
) -> CameraTrack:
    """Returns the track on an arc around a point (3,); times: frames a second, metres a second and seconds."""
    rate, speed, duration = times
    arc = min(min(speed / radius, math.radians(ORBIT_TURNING)) * max(duration - WINDOW / 2, duration / 2), MOST)
    x, y, z = focus.tolist()
    poses = [
        Pose((x + radius * math.cos(middle + turn), y + radius * math.sin(middle + turn), height), (x, y, z), LENS)
        for turn in np.linspace(-arc / 2, arc / 2, 9).tolist()
    ]
    return plan_track(poses, rate, CameraLimits(speed, ORBIT_TURNING), duration)


def _triple(point: np.ndarray) -> tuple[float, float, float]:
    return (float(point[0]), float(point[1]), float(point[2]))
