"""Where a walker turns to either side, so that each panel is seen whole, past the one before it.

Panels hang at the edge of the aisle and turn into it. From far away a panel's outer end is behind the panel before it,
and from where that no longer hides it, it is beyond the picture's edge of a camera that looks along the aisle. Of all
places and turns at which panels are seen, dynamic programming (Viterbi 1967) finds the quickest way.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...layout.camera_presets import LENS
from ...layout.hall_model import EYE_HEIGHT, HallLayout, Slot
from ...layout.view import SENSOR
from ..camera_track import TURNING, Pose
from ..film_hall import FilmHall
from ..sight import hidden_points, panel_points

LOOK_AHEAD, LOOK_UP = 10.0, 0.15
"""Metres before a walker, along the aisle and over the eye, that a walker looks at."""
GLANCE_LENS = 16.0
"""Millimetres of a walker's lens who sees each panel: wide, so that turns are small and tall panels fit."""
SEEN, INNER = 0.95, 0.94
"""Share of a panel that is to be seen, within this share of the picture's width and height: smoothing the way takes
some of it off again."""
NEAREST, FARTHEST, STEP = 0.2, 8.0, 0.25
"""Metres along the aisle from a walker to the middle of a panel, and the steps in which they are tried."""
MOST_TURN, TURN_STEP = 48.0, 4.0
"""Greatest turn to a side, degrees, and the steps in which turns are tried."""
TURN_COST, SIDE_COST = 0.15, 0.02
"""What turning costs beside the time it takes, and looking aside, both in seconds a second of turning."""
PAUSE_COST, SLOW = 0.3, 0.5
"""What a pause costs a second, and the speed in metres a second below which a turn pauses the walk."""
BACKWARDS = 1e3
"""What a step back costs, seconds a metre."""
LONGEST_GAP = 4.0
"""Metres between two poses, at most."""


@dataclass(frozen=True)
class _Glances:
    """Places and turns from which a panel is seen."""

    places: np.ndarray
    """(n,) float64: y of the walker, metres."""
    turns: np.ndarray
    """(n,) float64 degrees, against the clock from straight ahead."""

    def between(self, start: float, end: float) -> _Glances:
        """Returns those from places between two y."""
        inside = (self.places > start) & (self.places < end)
        return _Glances(self.places[inside], self.turns[inside])


def walker(x: float, y: float, turn: float = 0.0, lens: float = LENS) -> Pose:
    """Returns the camera of a walker who looks along an aisle; turn: degrees to the left. lens: millimetres."""
    angle = math.radians(turn)
    target = x - LOOK_AHEAD * math.sin(angle), y + LOOK_AHEAD * math.cos(angle), EYE_HEIGHT + LOOK_UP
    return Pose((x, y, EYE_HEIGHT), target, lens)


class GlancingWalk:
    """The walks through a hall on which each panel is seen."""

    def __init__(self, hall: FilmHall, aspect: float, speed: float) -> None:
        """aspect: width to height of the picture. speed: metres a second at most."""
        self._x, self._speed = hall.x, speed
        middles = [(slot.y - slot.width / 2 * math.sin(hall.layout.swing), slot) for slot in hall.layout.panels]
        ordered = sorted(middles, key=lambda pair: pair[0])
        self._glances = [_glances(hall, slot, middle, aspect) for middle, slot in ordered]

    def poses(self, start: float, end: float) -> list[Pose]:
        """Returns the poses between one y and another, both left out, from which the panels there are seen."""
        inside = [each for glances in self._glances if len((each := glances.between(start, end)).places)]
        ends = [_Glances(np.array([y]), np.zeros(1)) for y in (start, end)]
        poses = []
        for (before, _), (y, turn) in itertools.pairwise(_quickest([ends[0], *inside, ends[1]], self._speed)):
            count = max(1, math.ceil((y - before) / LONGEST_GAP))
            on_the_way = np.linspace(before, y, count + 1)[1:-1].tolist()
            poses += [walker(self._x, between, lens=GLANCE_LENS) for between in on_the_way]
            poses.append(walker(self._x, y, turn, GLANCE_LENS))
        return poses[:-1]


def _glances(hall: FilmHall, slot: Slot, middle: float, aspect: float) -> _Glances:
    """Returns from where a panel is seen, or, where it never is wholly, seen best. middle: y of its middle."""
    places = middle - np.arange(NEAREST, FARTHEST, STEP)
    turns = -slot.side * np.arange(0.0, MOST_TURN, TURN_STEP)
    eyes = np.column_stack([np.full(len(places), hall.x), places, np.full(len(places), EYE_HEIGHT)])
    shares = _seen_shares(hall.layout, slot, eyes, turns, aspect)
    is_good = shares >= min(SEEN, float(shares.max()))
    where, which = np.nonzero(is_good)
    return _Glances(places[where], turns[which])


def _seen_shares(layout: HallLayout, slot: Slot, eyes: np.ndarray, turns: np.ndarray, aspect: float) -> np.ndarray:
    """Returns the share of a panel seen from eyes (m, 3), metres, at turns (k,), degrees: (m, k) float64."""
    ahead = panel_points(layout, slot) - eyes[:, None]
    angles, wide = np.radians(turns), INNER * SENSOR / 2 / GLANCE_LENS
    forwards = ahead[..., 1, None] * np.cos(angles) - ahead[..., 0, None] * np.sin(angles)
    sideways = ahead[..., 0, None] * np.cos(angles) + ahead[..., 1, None] * np.sin(angles)
    above = ahead[..., 2, None] - forwards * LOOK_UP / LOOK_AHEAD
    inside = (forwards > 0) & (np.abs(sideways) <= wide * forwards) & (np.abs(above) <= wide / aspect * forwards)
    seen: np.ndarray = (inside & ~hidden_points(layout, eyes, slot)[..., None]).mean(1)
    return seen


def _quickest(steps: Sequence[_Glances], speed: float) -> list[tuple[float, float]]:
    """Returns y and turn, one of each step, of which the way from one to the next takes the least time."""
    total, arrived = np.zeros(1), []
    for before, after in itertools.pairwise(steps):
        costs = total[:, None] + _costs(before, after, speed)
        arrived.append(costs.argmin(0))
        total = costs.min(0)
    place, way = 0, []
    for step, origins in zip(reversed(steps[1:]), reversed(arrived), strict=True):
        way.append((float(step.places[place]), float(step.turns[place])))
        place = int(origins[place])
    return [(float(steps[0].places[0]), float(steps[0].turns[0])), *reversed(way)]


def _costs(before: _Glances, after: _Glances, speed: float) -> np.ndarray:
    """Returns the seconds from each glance to each later one, with what makes a walk uneven added, (m, k) float64."""
    step = after.places - before.places[:, None]
    turning = np.abs(after.turns - before.turns[:, None]) / TURNING
    forwards, back = np.maximum(step, 0), np.maximum(-step, 0)
    uneven = TURN_COST * turning + SIDE_COST * np.abs(after.turns) / TURNING
    pause = PAUSE_COST * np.maximum(turning - forwards / SLOW, 0)
    costs: np.ndarray = np.maximum(forwards / speed, turning) + uneven + pause + BACKWARDS * back
    return costs
