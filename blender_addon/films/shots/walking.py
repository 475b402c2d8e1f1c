"""Walks along the aisle, whole or in pieces where a hall is longer than there is time for; tour, forward and series."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...layout import camera_presets
from ...layout.boards import answer_boards
from ...layout.camera_presets import EDGE, LENS, is_inside
from ...layout.hall_model import EYE_HEIGHT, HallLayout
from ...layout.view import View
from ..camera_track import CameraLimits, CameraTrack, Pose, plan_track
from ..film_hall import FilmHall
from .glances import LOOK_AHEAD, GlancingWalk, walker

LEAST_PIECE = 4.0
"""Seconds that a piece of a walk takes at least."""
BEFORE_GATE = 3.0
"""Metres before a stage's gate at which a piece begins, so that its name is read."""
LONGEST = 60.0
"""Seconds that a tour takes at most by default."""
WORDS = 0.32
"""Free room for words below the answers, and above them in halves, as a share of their height."""
DIMENSIONS = tuple[int, int]


class StraightWalk:
    """The walks along an aisle with the eyes ahead, up to where the answers are nearer than LOOK_AHEAD."""

    def __init__(self, x: float, answers: float) -> None:
        """x: of the aisle's middle. answers: y of the boards at its end. Metres."""
        self._x, self._last = x, answers - LOOK_AHEAD

    def poses(self, start: float, end: float) -> list[Pose]:
        """Returns the poses between one y and another, both left out."""
        return [walker(self._x, y) for y in np.arange(start + 4.0, min(end - 4.0, self._last), 4.0).tolist()]


def first_pose(hall: FilmHall, size: DIMENSIONS) -> Pose:
    """Returns the camera before the entrance, which sees input, first gate and title board whole; size in pixels."""
    return Pose.of(camera_presets.entrance(hall.layout, *size))


def answer_pose(layout: HallLayout, size: DIMENSIONS) -> Pose:
    """Returns the camera before the answers, in the middle of the aisle, that sees all of them; size in pixels."""
    boards = answer_boards(layout)
    corners = np.concatenate([board.corners(0.4) for board in boards])
    room = np.array([0, 0, WORDS * float(np.ptp(corners[:, 2]))])
    above = [corners + room] if size[0] < size[1] else []  # of a half, whose name is above; other words are below
    corners = np.concatenate([corners, corners - room, *above])
    middle = (corners.min(0) + corners.max(0)) / 2
    x, distance = layout.wings[-1].x, 1.6
    while True:
        position = (x, float(corners[:, 1].min()) - distance, EYE_HEIGHT)
        view = View(position, (x, float(middle[1]), float(middle[2])), *size, LENS)
        if is_inside(view, corners, EDGE):
            return Pose.of(view)
        distance += 0.1


def walk_tracks(
    hall: FilmHall, size: DIMENSIONS, rate: float, speed: float, seconds: float | None, *, glances: bool = False
) -> list[CameraTrack]:
    """Returns the tracks from the entrance to the answer: one, or pieces that begin before stages.

    seconds: of all pieces together; None for as long as the way takes, up to LONGEST. glances: whether the camera turns
    to either side and slows down so that each panel is seen whole.
    """
    start, end = first_pose(hall, size), answer_pose(hall.layout, size)
    walk = GlancingWalk(hall, size[0] / size[1], speed) if glances else StraightWalk(hall.x, end.target[1])
    poses = [start, *walk.poses(start.position[1], end.position[1]), end]
    whole = plan_track(poses, rate, CameraLimits(speed))
    duration = (len(whole) - 1) / rate
    wanted = min(duration, LONGEST) if seconds is None else seconds
    if wanted >= duration - 0.5 / rate:
        return [whole if seconds is None else plan_track(poses, rate, CameraLimits(speed), seconds)]
    if wanted < 2 * LEAST_PIECE:
        return [plan_track(poses, rate, CameraLimits(speed), wanted)]
    return _pieces(hall, whole, round(wanted * rate), round(LEAST_PIECE * rate))


def _pieces(hall: FilmHall, whole: CameraTrack, count: int, least: int) -> list[CameraTrack]:
    """Returns parts of a walk: its beginning, some that begin before stages, its end.

    count: frames of all parts. least: frames of each. What lies between parts is left out, about evenly.
    """
    gates = np.searchsorted(whole.positions[:, 1], [y - BEFORE_GATE for y in _gates(hall)]).tolist()
    pieces = max(2, min(len(gates) + 2, count // least))
    ends = np.linspace(0, count, pieces + 1).round().astype(int).tolist()
    gap = (len(whole) - count) / (pieces - 1)
    tracks = []
    for number, (before, after) in enumerate(pairwise(ends)):
        start = before + round(number * gap)
        if 0 < number < pieces - 1:
            near = min(gates, key=lambda gate: abs(gate - start), default=start)
            start = near if abs(near - start) < gap / 2 else start
        tracks.append(whole.part(start, start + after - before))
    return tracks


def _gates(hall: FilmHall) -> list[float]:
    """Returns the y of the gates of all stages but the first."""
    return [stage.start for stage in hall.layout.stages if not stage.continued][1:]
