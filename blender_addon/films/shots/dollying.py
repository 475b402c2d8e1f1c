"""A way to one thing: to a layer's panel and into a tile until its numbers can be read, or to the answers."""

from __future__ import annotations

import numpy as np

from ...layout import camera_presets
from ...layout.hall_model import Slot
from ...layout.view import SENSOR
from ..camera_track import CameraLimits, CameraTrack, Pose, plan_track
from ..film_hall import FilmHall, panel_distances
from ..tile_numbers import TileView, tile_view
from .glances import walker
from .walking import DIMENSIONS, answer_pose

APPROACH = 3.0
"""Metres along the aisle to the place from which a panel is read."""
CLEARANCE, NEAREST = 0.45, 0.6
"""Least metres from a camera to every panel, and to the tile that it looks into."""
MARGIN = 0.86
"""Share of the picture that a tile's part fills in the end."""
LONGEST_LENS = 1000.0
"""Millimetres."""
STEPS = 12
"""Poses from a panel into a tile."""
HOLD = 1.5
"""Seconds that the last picture is held."""


def dolly_track(
    hall: FilmHall, size: DIMENSIONS, rate: float, speed: float, seconds: float | None, layer: str, channel: int | None
) -> tuple[CameraTrack, TileView]:
    """Returns the track to a layer's panel and into a tile, and what it shows in the end. Raises UnknownName."""
    slot = hall.slot(layer)
    shown = tile_view(hall, slot, channel)
    reading = reading_pose(hall, slot, size)
    before = walker(hall.x, reading.position[1] - APPROACH)
    track = plan_track(
        [before, *_into(reading, near_pose(hall, reading, shown, size))],
        rate,
        CameraLimits(speed),
        None if seconds is None else max(seconds - HOLD, seconds / 2),
    )
    return held(track, HOLD if seconds is None else min(HOLD, seconds / 2), rate, seconds), shown


def answer_track(hall: FilmHall, size: DIMENSIONS, rate: float, speed: float, seconds: float | None) -> CameraTrack:
    """Returns the track to the answers, along the end of the aisle."""
    end = answer_pose(hall.layout, size)
    start = walker(hall.x, end.position[1] - 4.0)
    return plan_track([start, end], rate, CameraLimits(speed), seconds)


def reading_pose(hall: FilmHall, slot: Slot, size: DIMENSIONS) -> Pose:
    """Returns the camera in the middle of the aisle from which a panel is read whole, with some room around it."""
    view = camera_presets.layer(hall.layout, slot, *size)
    yaw = hall.layout.yaw(slot)
    middle = slot.corners(yaw).mean(0)
    target = (float(middle[0]), float(middle[1]), (slot.bottom + slot.top) / 2)
    distance = float(np.linalg.norm(np.subtract(target, view.position)))
    need = max(slot.width / 0.8, slot.height / 0.8 * size[0] / size[1])
    return Pose(view.position, target, min(SENSOR * distance / need, 50.0))


def near_pose(hall: FilmHall, reading: Pose, shown: TileView, size: DIMENSIONS) -> Pose:
    """Returns the camera that a tile fills, as near as panels leave room; a longer lens makes up for the rest."""
    start, tile = np.array(reading.position), shown.centre
    end = tile + shown.normal * NEAREST
    shares = np.linspace(0, 1, 200)
    way = start + (end - start) * shares[:, None]
    is_free = panel_distances(hall.layout, way) >= CLEARANCE
    position = way[(int(np.argmin(is_free)) or 1) - 1 if not is_free.all() else -1]
    distance = float(np.linalg.norm(tile - position))
    need = max(shown.size[0], shown.size[1] * size[0] / size[1]) / MARGIN
    lens = min(SENSOR * distance / need, LONGEST_LENS)
    return Pose(_triple(position), _triple(tile), lens)


def _into(start: Pose, end: Pose) -> list[Pose]:
    """Returns poses from one to another of which the last one's target never gets nearer to the picture's edge."""
    poses = []
    for share in np.linspace(0, 1, STEPS):
        lens = start.lens ** (1 - share) * end.lens**share
        beside = np.subtract(start.target, end.target) * (1 - share) * min(1.0, start.lens / lens)
        position = np.add(np.multiply(start.position, 1 - share), np.multiply(end.position, share))
        poses.append(Pose(_triple(position), _triple(np.add(end.target, beside)), float(lens)))
    return poses


def held(track: CameraTrack, seconds: float, rate: float, whole: float | None) -> CameraTrack:
    """Returns the track with its last frame held; `whole`: seconds of the result, None for what it takes."""
    count = len(track) + round(seconds * rate) if whole is None else max(2, round(whole * rate))
    frames = np.minimum(np.arange(count), len(track) - 1)
    return CameraTrack(track.positions[frames], track.angles[frames], track.lenses[frames])


def _triple(point: np.ndarray) -> tuple[float, float, float]:
    return (float(point[0]), float(point[1]), float(point[2]))
