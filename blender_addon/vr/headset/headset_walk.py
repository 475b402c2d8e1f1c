"""A walk with a headset, from its start to its end: session, hands, drawing; afterwards everything is as it was before.

A timer is its clock, and runs only while the walk does. Sessions start and stop over many frames, so it waits for both.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ....torch_bridge.recording.errors import SceneError
from ...live.session import current as current_session
from ...scene.hall import baked, store
from .. import hand_actions, walk
from ..drawing.hands_drawing import Drawing
from ..walk import Walk
from . import xr
from .bindings import HANDS
from .saved_settings import Kept
from .shading_choice import Fit

PACE, WAITS = 1 / 90, 0.1
"""Seconds between two goes while hands move, and while a session starts or ends."""
PATIENCE = 20.0
"""Seconds that a session may take to start."""
REST = 5.0
"""Seconds after a session before there is another: one that is started too soon hangs Blender."""


class InHeadset:
    """One walk with a headset."""

    def __init__(self, scene: bpy.types.Scene, shading: str, textures: int) -> None:
        self.walk = Walk(scene, xr.Headset(), HANDS)
        self.drawing = Drawing(self.walk)
        self.fit = Fit(scene, shading, textures << 20)
        self.kept = Kept(scene)
        self.began = time.monotonic()
        self.runs = self.ends = False
        self._duties = deque(self._in_turn())

    def _in_turn(self) -> Iterator[Callable[[bpy.types.Scene], None]]:
        """What is looked at, one a go, so that no frame waits for all of it."""
        for hand, other in zip(self.walk.hands.values(), (self.drawing.look_at_card, self._look_at_rest), strict=True):
            yield partial(self.walk.see, hand=hand)
            yield partial(self.drawing.look_at, hand=hand)
            yield _nothing
            yield other
            yield _nothing

    def go(self) -> float | None:
        """One go; seconds until the next, None for no more."""
        if not xr.running():
            return self._idle()
        scene = self.walk.scene
        if scene is None or self.walk.leaves:
            return self._stop()
        if not self.runs:
            return self._arrive()
        for hand in self.walk.hands.values():
            self.walk.hold(hand, xr.hand_pose(hand.name))
        hand_actions.carry(self.walk, scene)
        hand_actions.work(self.walk)
        self._work(scene)
        self.drawing.plan(scene)
        return PACE

    def _work(self, scene: bpy.types.Scene) -> None:
        """Some of what goes on, and what is looked at next; after an act that is the card."""
        if self.drawing.card.busy:
            self.drawing.look_at_card(scene)
        elif self.fit.busy:
            self._look_at_rest(scene)
        if self.walk.acted:
            self.walk.acted = False
            self.drawing.look_at_card(scene)
            return
        self._duties[0](scene)
        self._duties.rotate(-1)

    def _look_at_rest(self, scene: bpy.types.Scene) -> None:
        self.drawing.look_at_held(scene)
        self.fit.look(scene, self.drawing.eye)

    def _idle(self) -> float | None:
        """The session has not begun yet, or is over."""
        if not self.runs and not self.ends and time.monotonic() - self.began < PATIENCE:
            return WAITS
        if not self.runs and not self.ends:
            current_session().error = f"no headset answered within {PATIENCE:g} s; {xr.RUNTIME}"
        finish()
        return None

    def _arrive(self) -> float:
        """The head is seen for the first time: stand at the entrance."""
        if xr.tracked():
            self.runs = True
            hand_actions.go(self.walk, 0)
            self.drawing.begin()
        return WAITS

    def _stop(self) -> float:
        if not self.ends:
            self.ends = True
            for hand in self.walk.hands.values():
                hand_actions.act(self.walk, hand, "let_go")
            xr.drop_actions()
            xr.toggle()
        return WAITS


def _nothing(scene: bpy.types.Scene) -> None:
    """Most frames pay for little: what a hand points at is looked for nine times a second."""


_headset: InHeadset | None = None
_ended = -REST
"""When the last session of a walk ended, by `time.monotonic`."""


def current() -> InHeadset | None:
    """The walk with a headset that goes on."""
    return _headset


def cannot() -> str:
    """Why no walk can begin now; "" where one can."""
    left = REST - (time.monotonic() - _ended)
    if walk.current() is not None:
        return "a walk goes on already"
    if xr.running():
        return "a VR session runs already; stop it in the VR tab, then start the walk"
    if left > 0:
        return f"the last session is still ending; wait {left:.0f} s"
    return xr.missing()


def begin(scene: bpy.types.Scene, shading: str, textures: int) -> str:
    """Start a session and walk in it. Raises SceneError."""
    global _headset
    if why := cannot():
        raise SceneError(f"no walk can begin: {why}")
    if not store.is_hall(scene):
        raise SceneError(f"scene {scene.name!r} is no hall; open a recording first")
    _headset = made = InHeadset(scene, shading, textures)
    try:
        made.kept.enter(made.walk.places)
        made.fit.keep()
        bpy.app.handlers.xr_session_start_pre.append(create_actions)
        xr.toggle()
        made.fit.enter()
    except BaseException:
        _headset = None
        _restore(made)
        raise
    walk.begin(made.walk)
    bpy.app.timers.register(_tick, first_interval=WAITS, persistent=True)
    return "the walk begins; put the headset on"


def end() -> str:
    """End the walk and its session."""
    if _headset is None:
        return "no walk goes on"
    _headset.walk.leaves = True
    if not _headset.runs:
        _headset.began = -PATIENCE
    return "the walk ends"


def finish() -> None:
    """Everything is as it was before, whatever has ended the session."""
    global _headset, _ended
    if _headset is None:
        return
    made, _headset, _ended = _headset, None, time.monotonic()
    walk.begin(None)
    _restore(made)


def _restore(made: InHeadset) -> None:
    if create_actions in bpy.app.handlers.xr_session_start_pre:
        bpy.app.handlers.xr_session_start_pre.remove(create_actions)
    made.drawing.end()
    made.fit.leave()
    made.kept.leave()


def _tick() -> float | None:
    try:
        return _headset.go() if _headset is not None else None
    except BaseException:  # Blender would forget the timer, and nothing would be put back
        close()
        raise


@persistent
def create_actions(*_: Any) -> None:
    """While the session starts, after Blender's own add-on has made its action set."""
    if xr.state() is None or _headset is None:
        return
    try:
        xr.create_actions()
    except SceneError as error:
        _headset.walk.say(str(error), failed=True)


@persistent
def undone(*_: Any) -> None:
    """After undo, redo or opening a file: a hall may be as it was during a walk, baked; it is that only for one."""
    for scene in store.halls():
        if _headset is not None and scene == _headset.walk.scene:
            _headset.fit.again(scene)
        elif baked.is_baked(scene):
            baked.unbake(scene)


@persistent
def close(*_: Any) -> None:
    """Another file is opened, or the extension is taken away: the session ends, and nothing is left behind."""
    if _headset is None:
        return
    if xr.running() and not _headset.ends:
        xr.drop_actions()
        xr.toggle()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    finish()
