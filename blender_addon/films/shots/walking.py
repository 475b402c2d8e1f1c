"""Walks along the aisle, whole or in pieces where a hall is longer than there is time for; tour, forward and series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...layout import camera_presets
from ...layout.boards import answer_boards
from ...layout.camera_presets import EDGE, LENS, is_inside
from ...layout.hall_model import EYE_HEIGHT, HallLayout
from ...layout.view import View
from ..camera_track import WINDOW, CameraLimits, CameraTrack, Pose, plan_track
from ..film_hall import FilmHall
from .glances import LOOK_AHEAD, GlancingWalk, walker

LEAST_PIECE = 4.0
"""Seconds that a piece of a walk takes at least."""
BEFORE_GATE = 3.0
"""Metres before a stage's gate at which a piece begins, so that its name is read."""
LONGEST = 60.0
"""Seconds that a tour takes at most by default."""
WORDS = 0.32
"""Free room below the answers, as a share of their height."""
DIMENSIONS = tuple[int, int]


class StraightWalk:
    """The walks along an aisle with the eyes ahead, up to where the answers are nearer than LOOK_AHEAD."""

    lens = LENS

    def __init__(self, x: float, answers: float) -> None:
        """x: of the aisle's middle. answers: y of the boards at its end. Metres."""
        self._x, self._last = x, answers - LOOK_AHEAD

    def poses(self, start: float, end: float) -> list[Pose]:
        """Returns the poses between one y and another, both left out."""
        return [walker(self._x, y) for y in np.arange(start + 4.0, min(end - 4.0, self._last), 4.0).tolist()]


Walk = StraightWalk | GlancingWalk


def first_pose(hall: FilmHall, size: DIMENSIONS) -> Pose:
    """Returns the camera before the entrance, which sees input, first gate and title board whole; size in pixels."""
    return Pose.of(camera_presets.entrance(hall.layout, *size))


def answer_pose(layout: HallLayout, size: DIMENSIONS) -> Pose:
    """Returns the camera before the answers, in the middle of the aisle, that sees all of them; size in pixels."""
    boards = answer_boards(layout)
    corners = np.concatenate([board.corners(0.4) for board in boards])
    corners = np.concatenate([corners, corners - (0, 0, WORDS * float(np.ptp(corners[:, 2])))])  # for the film's words
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
    poses = _to_answers(start, end, walk)
    whole = plan_track(poses, rate, CameraLimits(speed))
    duration = (len(whole) - 1) / rate
    wanted = min(duration, LONGEST) if seconds is None else seconds
    if wanted >= duration - 0.5 / rate:
        return [whole if seconds is None else plan_track(poses, rate, CameraLimits(speed), seconds)]
    return _pieces(hall, (start, end), walk, (rate, speed, wanted))


def _to_answers(start: Pose, end: Pose, walk: Walk) -> list[Pose]:
    return [start, *walk.poses(start.position[1], end.position[1]), end]


def _pieces(
    hall: FilmHall, ends: tuple[Pose, Pose], walk: Walk, times: tuple[float, float, float]
) -> list[CameraTrack]:
    """Returns walks at the entrance, before some of the stages, and to the answers.

    times: frames a second, metres a second, and the seconds that all take together.
    """
    rate, speed, seconds = times
    count = max(1, min(len(_gates(hall)) + 2, int(seconds / LEAST_PIECE)))
    frames = np.diff(np.linspace(0, round(seconds * rate), count + 1).round().astype(int))
    if count == 1:
        return [plan_track(_to_answers(*ends, walk), rate, CameraLimits(speed), seconds)]
    reach = speed * seconds / count
    first, last = ends[0].position[1], ends[1].position[1]
    gates = [y - BEFORE_GATE for y in _gates(hall) if first + reach < y - BEFORE_GATE < last - 2 * reach]
    starts = _spread(gates, count - 2, (first + reach, last - 2 * reach))
    tracks = []
    for number, length in enumerate(frames):
        limits = CameraLimits(speed, starts_at_rest=number == 0, ends_at_rest=number == count - 1)
        if number == 0:
            poses = _onwards(ends[0], first + reach + speed * WINDOW, walk)
        elif number == count - 1:
            start = walker(hall.x, last - reach - speed * WINDOW, lens=walk.lens)
            poses = _to_answers(start, ends[1], walk)
        else:
            y = starts[number - 1]
            poses = _onwards(walker(hall.x, y, lens=walk.lens), y + reach + speed * WINDOW, walk)
        tracks.append(_begun(poses, rate, limits, length / rate))
    return tracks


def _begun(poses: Sequence[Pose], rate: float, limits: CameraLimits, seconds: float) -> CameraTrack:
    """Returns a track of so many seconds that keeps its beginning, unless it has to end at rest."""
    if limits.ends_at_rest:
        return plan_track(poses, rate, limits, seconds)
    return plan_track(poses, rate, limits).part(0, round(seconds * rate))


def _onwards(start: Pose, end: float, walk: Walk) -> list[Pose]:
    """Returns the poses of a walk from one place to the y of another, with a second more."""
    x, y, _ = start.position
    return [start, *walk.poses(y, end + 1.0), walker(x, end + 1.0, lens=walk.lens)]


def _gates(hall: FilmHall) -> list[float]:
    """Returns the y of the gates of all stages but the first."""
    return [stage.start for stage in hall.layout.stages if not stage.continued][1:]


def _spread(gates: Sequence[float], count: int, room: tuple[float, float]) -> list[float]:
    """Returns `count` places spread over a room, each at the gate next to it if that is near."""
    even = np.linspace(*room, count + 2)[1:-1] if count > 0 else np.zeros(0)
    gap = (room[1] - room[0]) / (count + 1) / 2
    near = [min(gates, key=lambda y: abs(y - place), default=place) for place in even.tolist()]
    return [gate if abs(gate - place) < gap else place for gate, place in zip(near, even.tolist(), strict=True)]
