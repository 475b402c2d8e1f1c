"""The desktop walk: its timer, keys and mouse. The keys run the same actions as the headset's hands."""

from __future__ import annotations

import time
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ....torch_bridge.recording.errors import SceneError
from ...scene.hall import store
from .. import hand_actions, walk
from ..walk import Walk
from .desk_camera import HAND_NAME, DeskCamera
from .desk_drawing import DeskDrawing

TICK_SECONDS = 1 / 60
"""Seconds between two ticks."""
MAX_STEP_SECONDS = 0.25
"""Longest time that one tick moves the walker for, in seconds, however late it is."""
SPEED, FAST_FACTOR = 2.5, 3.0
"""Speed in metres a second, and its factor with Shift."""
MOUSE_SPEED = 0.0025
"""Radians that the eye turns for each pixel of the mouse."""
DIRECTIONS: dict[str, tuple[float, float, float]] = {
    "W": (0, 1, 0), "UP_ARROW": (0, 1, 0), "S": (0, -1, 0), "DOWN_ARROW": (0, -1, 0), "A": (-1, 0, 0),
    "LEFT_ARROW": (-1, 0, 0), "D": (1, 0, 0), "RIGHT_ARROW": (1, 0, 0), "E": (0, 0, 1), "Q": (0, 0, -1),
}  # fmt: skip
"""Direction (right, ahead, up) in which the walker moves while a key is held."""
KEYS = {
    "LEFTMOUSE": "pick", "SPACE": "pick", "G": "grip", "M": "menu", "TAB": "menu", "N": "next_landmark",
    "P": "previous_landmark", "Z": "turn_left", "X": "turn_right", "C": "take_picture", "ESC": "leave",
    "RIGHTMOUSE": "leave",
}  # fmt: skip
"""Action of the hand when a key is pressed."""
WHEEL_FACTORS = {"WHEELUPMOUSE": 1.1, "WHEELDOWNMOUSE": 1 / 1.1}
"""Factor by which a step of the wheel scales the gripped panel."""
MOUSE_MOVES, PRESSES = ("MOUSEMOVE", "INBETWEEN_MOUSEMOVE"), ("PRESS", "DOUBLE_CLICK")
PASSED_PREFIXES = ("TIMER", "WINDOW")
"""Prefixes of the event types that are left to Blender."""
HELP = (
    "Walk: WASD, Q E, Shift fast  ·  Look: mouse  ·  Pick: click  ·  Hold panel: G, scale: wheel  ·  Menu: M  ·  "
    "Places: N P  ·  Turn: Z X  ·  Picture: C  ·  End: Esc"
)


class DeskWalk:
    """One desktop walk."""

    def __init__(self, scene: bpy.types.Scene, body: DeskCamera) -> None:
        self.body = body
        self.walk = Walk(scene, body, (HAND_NAME,))
        self.drawing = DeskDrawing(self.walk, body)
        self.held_keys, self.fast = set[str](), False
        self.mouse: tuple[int, int] | None = None
        """Last position of the mouse, in pixels of the window."""
        self.last_step = time.monotonic()
        self._content: tuple[object, ...] = ()
        self._header_area = 0
        """Address of the area whose header shows the keys."""

    def enter(self) -> None:
        """Sets up the view, stands at the entrance and starts to draw."""
        self.body.enter()
        self.walk.go_to(0)
        self.drawing.begin()
        for handlers, handler in _handlers():
            # Before saving first of all, because halls then name another engine for that of the person.
            handlers.insert(0 if handler is _before_saving else len(handlers), handler)

    def leave(self) -> None:
        """Releases what is held, stops drawing and restores the view; the viewpoint stays."""
        for handlers, handler in _handlers():
            if handler in handlers:
                handlers.remove(handler)
        hand_actions.perform(self.walk, self.walk.hands[HAND_NAME], "let_go")
        self.drawing.end()
        self.body.leave()
        for window in bpy.context.window_manager.windows:
            window.cursor_modal_restore()

    def tick(self) -> float | None:
        """Updates the walk; returns the seconds until the next tick, None after the last."""
        scene, area = self.walk.scene, self.body.area
        if scene is None or self.walk.ending or area is None:
            finish()
            return None
        if area.as_pointer() != self._header_area:
            area.header_text_set(HELP)
            self._header_area = area.as_pointer()
        self._move()
        hand = self.walk.hands[HAND_NAME]
        self.walk.point_hand(hand, self.body.eye())
        hand_actions.carry_panels(self.walk, scene)
        hand_actions.continue_export(self.walk)
        self.drawing.update(scene)
        content = hand.pose.tobytes(), *self.drawing.content()
        if content != self._content or not self.drawing.ready:
            self._content = content
            area.tag_redraw()
        return TICK_SECONDS

    def _move(self) -> None:
        """Moves in the direction of the held keys, for the time since the last step."""
        now = time.monotonic()
        elapsed, self.last_step = min(now - self.last_step, MAX_STEP_SECONDS), now
        directions = [DIRECTIONS[key] for key in self.held_keys]
        if directions:
            distance = SPEED * (FAST_FACTOR if self.fast else 1.0) * elapsed
            right, ahead, up = (distance * sum(axis) for axis in zip(*directions, strict=True))
            self.body.move(right, ahead, up)

    def handle_event(self, event: bpy.types.Event) -> bool:
        """Handles an event of the window; returns whether the walk uses it.

        Keys with Ctrl, Alt or the system key are left to Blender, for undo and the like.
        """
        before, self.mouse = self.mouse, (event.mouse_x, event.mouse_y)
        if self.body.area is None:  # the view was closed; the next tick ends the walk
            return False
        if event.type in MOUSE_MOVES:
            if before is not None:
                self.body.rotate(*(MOUSE_SPEED * (now - then) for now, then in zip(self.mouse, before, strict=True)))
            return True
        if event.type == "WINDOW_DEACTIVATE":
            self.held_keys.clear()
        self.fast = event.shift
        if event.value == "RELEASE":
            self.release_key(event.type)
        if event.ctrl or event.alt or event.oskey or event.type.startswith(PASSED_PREFIXES):
            return False
        if event.value in PRESSES and not event.is_repeat:
            self.press_key(event.type)
        return True

    def press_key(self, key: str) -> None:
        """Handles a pressed key or button, or a step of the wheel."""
        hand = self.walk.hands[HAND_NAME]
        if key in DIRECTIONS:
            self.held_keys.add(key)
        elif key in WHEEL_FACTORS:
            hand_actions.scale_held_panel(hand, WHEEL_FACTORS[key])
        elif key in KEYS:
            self.walk.point_hand(hand, self.body.eye())
            closes_menu = KEYS[key] == "leave" and self.walk.menu is not None
            hand_actions.perform(self.walk, hand, "menu" if closes_menu else KEYS[key])

    def release_key(self, key: str) -> None:
        """Handles a released key."""
        self.held_keys.discard(key)
        if KEYS.get(key) == "grip":
            hand_actions.perform(self.walk, self.walk.hands[HAND_NAME], "let_go")


_desk_walk: DeskWalk | None = None


def current() -> DeskWalk | None:
    """Returns the desktop walk that is running, None for none."""
    return _desk_walk


def begin(scene: bpy.types.Scene) -> str:
    """Starts a walk in the 3D view of the window. Raises SceneError."""
    global _desk_walk
    if not store.is_hall(scene):
        raise SceneError(f"scene {scene.name!r} is not a hall; open a recording first")
    if walk.current() is not None:
        raise SceneError("a walk is already running; end it first")
    body = DeskCamera(scene)
    if bpy.app.background or body.area is None:
        raise SceneError("no 3D view shows this hall; open one in a window with this scene")
    _desk_walk = DeskWalk(scene, body)
    walk.set_current(_desk_walk.walk)
    _desk_walk.enter()
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick)
    return "walking; press Esc to end the walk"


def finish() -> None:
    """Ends the desktop walk, if there is one."""
    global _desk_walk
    if _desk_walk is not None:
        ended, _desk_walk = _desk_walk, None
        ended.leave()
        walk.end_current()


def _handlers() -> list[tuple[Any, Any]]:
    """Returns (Blender's list of handlers, handler) of each event that a walk handles."""
    events = bpy.app.handlers
    return [
        (events.save_pre, _before_saving),
        (events.save_post, _after_saving),
        (events.save_post_fail, _after_saving),
    ]


@persistent
def _before_saving(*_: Any) -> None:
    """Restores the person's settings, so that the file has no others."""
    if _desk_walk is not None:
        _desk_walk.body.restore()


@persistent
def _after_saving(*_: Any) -> None:
    if _desk_walk is not None and _desk_walk.body.area is not None:
        _desk_walk.body.enter()


def _tick() -> float | None:
    try:
        return _desk_walk.tick() if _desk_walk is not None else None
    except BaseException:  # Blender would drop the timer, and the view would keep the walk's settings
        finish()
        raise
