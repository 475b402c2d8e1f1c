"""A walk that goes on: where its hands are, what each points at and holds, the menu that is open, the card.

A headset's actions, the desk's keys and tests drive it alike: `point` says where a hand is, `acts.act` what it does.
Nothing here is Blender data, so undo and files never see it; the hall's scene is found by its name each time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import bpy
import numpy as np
from mathutils import Vector

from ..actions.exporting import ExportSteps
from ..imaging.picking import intersect_plane
from ..live.hall_requests import scene_named
from ..scene.hall import pick
from ..scene.hall.pick import Hit
from ..scene.hall.refit import site_of
from ..scene.hall.store import dress_of
from .display import menu
from .landmarks import Landmark, landmarks

REACH = 1.5
"""Metres that a ray is drawn where it meets nothing."""
SAID = 8.0
"""Seconds that what was said last stays on the card."""


class Body(Protocol):
    """Where the walker stands and looks."""

    def eye(self) -> np.ndarray:
        """(4, 4) pose of the head, world."""

    def stand(self, place: tuple[float, float], yaw: float | None = None) -> None:
        """Stand on the floor at (x, y), looking along yaw (0: +y); None: as before."""

    def turn(self, by: float) -> None:
        """Turn on the spot, radians, counter-clockwise from above."""


@dataclass
class Grip:
    """How a hand took hold of a panel."""

    layer: str
    panel: np.ndarray
    """(4, 4) where the panel was then, world."""
    pose: np.ndarray
    """(4, 4) where the hand was then."""


@dataclass
class Hand:
    """One hand, or the crosshair of the desk; it points along its -z."""

    name: str
    pose: np.ndarray = field(default_factory=lambda: np.eye(4))
    """(4, 4) world."""
    there: bool = False
    """Whether it was seen yet."""
    hit: Hit | None = None
    at_board: bool = False
    """Whether it points at the menu."""
    item: int = -1
    """The entry of the menu that it points at."""
    far: float = REACH
    """Metres from the hand to what it points at."""
    grip: Grip | None = None

    place: Vector = field(default_factory=Vector)
    """Where it is, world."""
    along: Vector = field(default_factory=lambda: Vector((0, 0, -1)))
    """Where it points, a unit vector."""

    @property
    def end(self) -> Vector:
        """Where its ray ends, world."""
        return self.place + self.along * self.far


@dataclass
class Board:
    """The menu that is open."""

    page: menu.Page
    name: str
    at: np.ndarray
    """(4, 4) plane to world."""


class Walk:
    """One walk through one hall; `current` gives the one that goes on."""

    def __init__(self, scene: bpy.types.Scene, body: Body, hands: Iterable[str]) -> None:
        self.name, self.body = scene.name, body
        self.hands = {one: Hand(one) for one in hands}
        self.places: list[Landmark] = []
        self.survey(scene)
        self.at = 0
        """Which of the places was gone to last."""
        self.board: Board | None = None
        self.card: str = next(iter(self.hands))
        """The hand that the card is at: the one that picked last."""
        self.holder: str = ""
        """The hand that took the held picture."""
        self.leaves = False
        """Whether the walk is to end."""
        self.work: ExportSteps | None = None
        """What goes on a step at a time, such as an export."""
        self.acted = False
        """Whether a hand has just acted: Blender evaluates what has changed for the next picture, so looking waits."""
        self.moved: set[str] = set()
        """Layers whose panels were moved since they were asked for."""
        self._said, self._until, self.failed = "", 0.0, False

    @property
    def scene(self) -> bpy.types.Scene | None:
        """The hall, None where it is gone."""
        return scene_named(self.name)

    def survey(self, scene: bpy.types.Scene) -> None:
        """Where the places of the tour are, now that the hall stands so."""
        self.places = landmarks(site_of(scene, dress_of(scene)).hall)

    @property
    def said(self) -> str:
        """What was done last, or why it couldn't be, for as long as a person reads it."""
        return self._said if time.monotonic() < self._until else ""

    def say(self, line: str, *, failed: bool = False) -> None:
        """Tell the walker something."""
        self._said, self.failed, self._until = line, failed, time.monotonic() + SAID

    def hold(self, hand: Hand, pose: np.ndarray) -> None:
        """A hand is there now; what it points at is looked for by `see`."""
        hand.pose, hand.there, rows = pose, True, pose.tolist()
        hand.place = Vector((rows[0][3], rows[1][3], rows[2][3]))
        hand.along = Vector((-rows[0][2], -rows[1][2], -rows[2][2])).normalized()

    def point(self, hand: Hand, pose: np.ndarray) -> None:
        """A hand is there now: what does it point at?"""
        self.hold(hand, pose)
        if (scene := self.scene) is not None:
            self.see(scene, hand)

    def see(self, scene: bpy.types.Scene, hand: Hand) -> None:
        """What a hand points at from where it is; it costs more than all else."""
        hand.at_board, hand.item, hand.hit, hand.far = False, -1, None, REACH
        if self.board is not None and self._at_board(hand, self.board):
            return
        hand.hit = pick.pick(scene, pick.depsgraph_of(scene), hand.place, hand.along)
        if hand.hit is not None:
            hand.far = (Vector(hand.hit.place) - hand.place).length

    def _at_board(self, hand: Hand, board: Board) -> bool:
        met = intersect_plane(board.at, hand.place.to_tuple(), hand.along.to_tuple())
        if met is None or not met.front or not menu.inside(board.page, met.x, met.y):
            return False
        hand.at_board, hand.far = True, met.distance
        hand.item = menu.item_at(board.page, met.x, met.y)
        return True


_walk: Walk | None = None


def current() -> Walk | None:
    """The walk that goes on."""
    return _walk


def begin(walk: Walk | None) -> None:
    """This walk goes on from now; None: no walk does."""
    global _walk
    _walk = walk
