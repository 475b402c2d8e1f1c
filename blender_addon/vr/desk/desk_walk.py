"""A walk without a headset: its clock, its keys, its mouse. What they do are the acts of the headset's hands."""

from __future__ import annotations

import time

import bpy

from ....torch_bridge.recording.errors import SceneError
from ...scene.hall import store
from .. import hand_actions, walk
from ..walk import Walk
from .desk_drawing import DeskDrawing
from .eye import EYE_NAME, Desk

PACE = 1 / 60
"""Seconds between two goes."""
MOST = 0.25
"""Seconds that count between two goes, whatever has taken longer."""
SPEED, FAST = 2.5, 3.0
"""Metres a second, and how many times as fast with Shift."""
GLANCE = 0.0025
"""Radians that a pixel of the mouse turns the eye."""
WAYS: dict[str, tuple[float, float, float]] = {
    "W": (0, 1, 0), "UP_ARROW": (0, 1, 0), "S": (0, -1, 0), "DOWN_ARROW": (0, -1, 0), "A": (-1, 0, 0),
    "LEFT_ARROW": (-1, 0, 0), "D": (1, 0, 0), "RIGHT_ARROW": (1, 0, 0), "E": (0, 0, 1), "Q": (0, 0, -1),
}  # fmt: skip
"""Key -> to the right, ahead, up, while it is held."""
KEYS = {
    "LEFTMOUSE": "pick", "SPACE": "pick", "G": "grip", "M": "menu", "TAB": "menu", "N": "next_landmark",
    "P": "previous_landmark", "Z": "turn_left", "X": "turn_right", "ESC": "leave", "RIGHTMOUSE": "leave",
}  # fmt: skip
"""Key -> what the hand does when it goes down."""
GROWTH = {"WHEELUPMOUSE": 1.1, "WHEELDOWNMOUSE": 1 / 1.1}
"""Of a panel that is held."""
MOVES, DOWN = ("MOUSEMOVE", "INBETWEEN_MOUSEMOVE"), ("PRESS", "DOUBLE_CLICK")
OTHERS = ("TIMER", "WINDOW")
"""How the kinds of events begin that are Blender's own."""
HELP = (
    "Walk: WASD, Q E, Shift fast  ·  Look: mouse  ·  Pick: click  ·  Hold panel: G, scale: wheel  ·  Menu: M  ·  "
    "Places: N P  ·  Turn: Z X  ·  Leave: Esc"
)


class AtDesk:
    """One walk at the desk."""

    def __init__(self, scene: bpy.types.Scene, body: Desk) -> None:
        self.body = body
        self.walk = Walk(scene, body, (EYE_NAME,))
        self.drawing = DeskDrawing(self.walk, body)
        self.held, self.fast = set[str](), False
        self.mouse: tuple[int, int] | None = None
        """Where it was last, pixels of the window."""
        self.then = time.monotonic()
        self._seen: tuple[object, ...] = ()
        self._told = 0
        """Address of the area whose header tells the keys."""

    def enter(self) -> None:
        """Stand at the entrance."""
        self.body.enter()
        hand_actions.go(self.walk, 0)
        self.drawing.begin()

    def leave(self) -> None:
        """What is held is let go; the view stays where the walk has ended."""
        hand_actions.act(self.walk, self.walk.hands[EYE_NAME], "let_go")
        self.drawing.end()
        self.body.leave()
        for window in bpy.context.window_manager.windows:
            window.cursor_modal_restore()

    def go(self) -> float | None:
        """One go; seconds until the next, None for no more."""
        scene, area = self.walk.scene, self.body.area
        if scene is None or self.walk.leaves or area is None:
            finish()
            return None
        if area.as_pointer() != self._told:
            area.header_text_set(HELP)
            self._told = area.as_pointer()
        self._step()
        hand = self.walk.hands[EYE_NAME]
        self.walk.point(hand, self.body.eye())
        hand_actions.carry(self.walk, scene)
        hand_actions.work(self.walk)
        self.drawing.look(scene)
        if (seen := (hand.pose.tobytes(), *self.drawing.seen())) != self._seen or not self.drawing.ready:
            self._seen = seen
            area.tag_redraw()
        return PACE

    def _step(self) -> None:
        """As far as the held keys go."""
        now = time.monotonic()
        passed, self.then = min(now - self.then, MOST), now
        ways = [WAYS[key] for key in self.held]
        if ways:
            far = SPEED * (FAST if self.fast else 1.0) * passed
            right, ahead, up = (far * sum(way) for way in zip(*ways, strict=True))
            self.body.walk(right, ahead, up)

    def take(self, event: bpy.types.Event) -> bool:
        """An event of the window; whether it was for the walk. With Ctrl and its like keys are Blender's: undo."""
        before, self.mouse = self.mouse, (event.mouse_x, event.mouse_y)
        if self.body.area is None:  # the view is gone; the next go ends the walk
            return False
        if event.type in MOVES:
            if before is not None:
                self.body.glance(*(GLANCE * (now - then) for now, then in zip(self.mouse, before, strict=True)))
            return True
        if event.type == "WINDOW_DEACTIVATE":
            self.held.clear()
        self.fast = event.shift
        if event.value == "RELEASE":
            self.key_up(event.type)
        if event.ctrl or event.alt or event.oskey or event.type.startswith(OTHERS):
            return False
        if event.value in DOWN and not event.is_repeat:
            self.key_down(event.type)
        return True

    def key_down(self, key: str) -> None:
        """A key or button goes down, or the wheel turns."""
        hand = self.walk.hands[EYE_NAME]
        if key in WAYS:
            self.held.add(key)
        elif key in GROWTH:
            hand_actions.grow(hand, GROWTH[key])
        elif key in KEYS:
            self.walk.point(hand, self.body.eye())
            first_closes = KEYS[key] == "leave" and self.walk.board is not None
            hand_actions.act(self.walk, hand, "menu" if first_closes else KEYS[key])

    def key_up(self, key: str) -> None:
        """And up."""
        self.held.discard(key)
        if KEYS.get(key) == "grip":
            hand_actions.act(self.walk, self.walk.hands[EYE_NAME], "let_go")


_desk: AtDesk | None = None


def current() -> AtDesk | None:
    """The walk at the desk that goes on."""
    return _desk


def begin(scene: bpy.types.Scene) -> str:
    """Walk in the 3D view of the window. Raises SceneError."""
    global _desk
    if not store.is_hall(scene):
        raise SceneError(f"scene {scene.name!r} is no hall; open a recording first")
    if walk.current() is not None:
        raise SceneError("a walk goes on already; leave it first")
    body = Desk(scene)
    if bpy.app.background or body.area is None:
        raise SceneError("no 3D view of a window shows this hall; open one to walk in it")
    _desk = AtDesk(scene, body)
    walk.begin(_desk.walk)
    _desk.enter()
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick)
    return "walking; Esc leaves"


def finish() -> None:
    """The walk is over."""
    global _desk
    if _desk is not None:
        made, _desk = _desk, None
        walk.begin(None)
        made.leave()


def _tick() -> float | None:
    try:
        return _desk.go() if _desk is not None else None
    except BaseException:  # Blender would forget the timer, and nothing would be put back
        finish()
        raise
