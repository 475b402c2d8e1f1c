"""State of a walk: its hands, what each points at and holds, the open menu, the message on the card.

The headset's buttons, the keys of a desktop walk and tests all drive it the same way: `point_hand` moves a hand and
`hand_actions.perform` runs its action. Nothing here is Blender data, so undo and files don't contain it; the hall's
scene is looked up by name each time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import bpy
import numpy as np
from mathutils import Vector

from ..actions.exporting import ExportSteps, export_steps
from ..actions.pictures import has_pictures, render_pictures, take_picture_from
from ..actions.selecting import find_label, selected
from ..imaging.panel_rays import intersect_plane
from ..layout.view import View
from ..live.hall_requests import scene_named
from ..scene.hall import ray_hits
from ..scene.hall.ray_hits import Hit
from .display import menu_layout
from .landmarks import Landmark
from .scene_landmarks import hall_landmarks, panel_landmark

RAY_LENGTH = 1.5
"""Length of a ray that hits nothing, in metres."""
RENDERING_DELAY = 0.5
"""Seconds after a walk until its pictures are rendered."""
MESSAGE_SECONDS = 8.0
"""Seconds for which a message stays on the card."""


class Body(Protocol):
    """The walker's position: a headset, or the eye of a 3D view."""

    def eye(self) -> np.ndarray:
        """Returns the pose of the head, (4, 4), to world."""

    def stand(self, position: tuple[float, float], yaw: float | None = None) -> None:
        """Stands on the floor at (x, y), facing yaw (radians, 0: +y); None keeps the direction."""

    def turn(self, angle: float) -> None:
        """Turns on the spot by an angle, radians, counter-clockwise from above."""

    def camera(self) -> View | None:
        """Returns what the walker sees, as a camera."""


@dataclass
class Grip:
    """A hand's hold on a panel: both poses when it was gripped."""

    layer: str
    panel_pose: np.ndarray
    """(4, 4), panel to world."""
    hand_pose: np.ndarray
    """(4, 4), hand to world."""


@dataclass
class Hand:
    """One hand, or the crosshair of a desktop walk; it points along its -z."""

    name: str
    pose: np.ndarray = field(default_factory=lambda: np.eye(4))
    """(4, 4), hand to world."""
    tracked: bool = False
    """Whether its pose is known yet."""
    hit: Hit | None = None
    on_menu: bool = False
    """Whether it points at the menu."""
    item: int = -1
    """Index of the menu item that it points at, -1 for none."""
    distance: float = RAY_LENGTH
    """Metres from the hand to the end of its ray."""
    grip: Grip | None = None
    position: Vector = field(default_factory=Vector)
    """Its position in the world, metres."""
    direction: Vector = field(default_factory=lambda: Vector((0, 0, -1)))
    """Unit vector that it points along, in the world."""

    @property
    def ray_end(self) -> Vector:
        """The point where its ray ends, in the world."""
        return self.position + self.direction * self.distance


@dataclass
class MenuBoard:
    """The open menu: its page and its plane in the world."""

    page: menu_layout.Page
    name: str
    """Name of the page."""
    pose: np.ndarray
    """(4, 4), plane to world."""


class Walk:
    """One walk through one hall; `current` returns the one that is running."""

    def __init__(self, scene: bpy.types.Scene, body: Body, hands: Iterable[str]) -> None:
        self.scene_name, self.body = scene.name, body
        self.hands = {name: Hand(name) for name in hands}
        self.landmarks: list[Landmark] = []
        self.update_landmarks(scene)
        self.landmark_index = 0
        """Index of the landmark that was visited last."""
        self.menu: MenuBoard | None = None
        self.card_hand: str = next(iter(self.hands))
        """Name of the hand that carries the card: the one that picked last."""
        self.picture_hand: str = ""
        """Name of the hand that holds a picture of the shelf, "" for none."""
        self.ending = False
        """Whether the walk ends at its next tick."""
        self.export: ExportSteps | None = None
        """The export that is running, a step at a time."""
        self.has_acted = False
        """Whether a hand acted just now; the next frame evaluates the change, so other updates wait for one tick."""
        self.moved_layers: set[str] = set()
        """Layers whose panels were moved while they are gripped."""
        self._message, self._message_end, self.failed = "", 0.0, False

    @property
    def scene(self) -> bpy.types.Scene | None:
        """The hall's scene, None if it was removed."""
        return scene_named(self.scene_name)

    def update_landmarks(self, scene: bpy.types.Scene) -> None:
        """Plans the landmarks again, for the hall's layout of now."""
        self.landmarks = hall_landmarks(scene)

    @property
    def message(self) -> str:
        """The last message or error, "" after MESSAGE_SECONDS."""
        return self._message if time.monotonic() < self._message_end else ""

    def show_message(self, text: str, *, failed: bool = False) -> None:
        """Shows a message on the card; failed: it is an error."""
        self._message, self.failed, self._message_end = text, failed, time.monotonic() + MESSAGE_SECONDS

    def go_to(self, index: int) -> str:
        """Stands at a landmark, counted modulo their number; returns its name."""
        self.landmark_index = index % len(self.landmarks)
        landmark = self.landmarks[self.landmark_index]
        self.body.stand(landmark.position, landmark.yaw)
        return landmark.name

    def go_to_label(self, name: str) -> str:
        """Selects the next channel with a label and stands before its panel; the menu closes. Returns a line."""
        scene = self.scene
        if scene is None:
            return ""
        line = find_label(scene, name)
        place = panel_landmark(scene, selected(scene).layer)
        self.body.stand(place.position, place.yaw)
        self.close_menu()
        return line

    def close_menu(self) -> str:
        """Closes the menu; returns "", as there is nothing to report."""
        self.menu = None
        return ""

    def leave(self) -> str:
        """Ends the walk at its next tick."""
        self.ending, self.menu = True, None
        return "the walk is ending"

    def take_picture(self) -> str:
        """Keeps a small picture of what the walker sees; it is rendered in full size once the walk has ended."""
        scene = self.scene
        return take_picture_from(scene, self.body.camera()) if scene is not None else ""

    def render_pictures(self) -> str:
        """Renders the pictures that were taken in full size, which stops the walk for seconds."""
        scene = self.scene
        return render_pictures(scene) if scene is not None else ""

    def start_export(self, directory: Path) -> str:
        """Starts to export the hall; `hand_actions.continue_export` runs the steps."""
        if (scene := self.scene) is not None:
            self.export = export_steps(scene, directory)
        return ""

    def place_hand(self, hand: Hand, pose: np.ndarray) -> None:
        """Sets a hand's pose, (4, 4), hand to world; `find_target` updates what it points at."""
        hand.pose, hand.tracked, rows = pose, True, pose.tolist()
        hand.position = Vector((rows[0][3], rows[1][3], rows[2][3]))
        hand.direction = Vector((-rows[0][2], -rows[1][2], -rows[2][2])).normalized()

    def point_hand(self, hand: Hand, pose: np.ndarray) -> None:
        """Sets a hand's pose, (4, 4), hand to world, and finds what it points at."""
        self.place_hand(hand, pose)
        if (scene := self.scene) is not None:
            self.find_target(scene, hand)

    def find_target(self, scene: bpy.types.Scene, hand: Hand) -> None:
        """Finds what a hand points at: the menu or a part of the hall. This is the most expensive part of a frame."""
        hand.on_menu, hand.item, hand.hit, hand.distance = False, -1, None, RAY_LENGTH
        if self.menu is not None and self._points_at(hand, self.menu):
            return
        hand.hit = ray_hits.pick(scene, ray_hits.evaluated_depsgraph(scene), hand.position, hand.direction)
        if hand.hit is not None:
            hand.distance = (Vector(hand.hit.position) - hand.position).length

    def _points_at(self, hand: Hand, board: MenuBoard) -> bool:
        hit = intersect_plane(board.pose, hand.position.to_tuple(), hand.direction.to_tuple())
        if hit is None or not hit.front or not menu_layout.contains(board.page, hit.x, hit.y):
            return False
        hand.on_menu, hand.distance = True, hit.distance
        hand.item = menu_layout.item_at(board.page, hit.x, hit.y)
        return True


_walk: Walk | None = None


def current() -> Walk | None:
    """Returns the walk that is running, None for none."""
    return _walk


def set_current(walk: Walk | None) -> None:
    """Sets the walk that is running, None for none."""
    global _walk
    _walk = walk


def end_current() -> None:
    """Makes the walk that is running end; what it has taken of its hall is rendered once the window is drawn again."""
    ended = _walk
    set_current(None)
    if ended is not None and ended.scene is not None and has_pictures(ended.scene):
        bpy.app.timers.register(partial(_render_pictures, ended.scene_name), first_interval=RENDERING_DELAY)


def _render_pictures(scene_name: str) -> None:
    """Runs the operator, which reports where the pictures are."""
    window = next((each for each in bpy.context.window_manager.windows if each.scene.name == scene_name), None)
    if window is not None:
        with bpy.context.temp_override(window=window), suppress(RuntimeError):  # its error is reported
            bpy.ops.innerwalk.render_pictures()
