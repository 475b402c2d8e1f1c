"""A walk with a headset, from its start to its end: session, hands and drawing; at the end all settings are restored.

A timer drives it and runs only during the walk. Sessions start and stop over many frames, so it waits for both.
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
from ...scene.hall import store
from .. import hand_actions, walk
from ..walk import Walk
from . import xr
from .bindings import HANDS
from .headset_drawing import HeadsetDrawing
from .saved_settings import SavedSettings
from .session_shading import SessionShading

TICK_SECONDS, WAIT_SECONDS = 1 / 90, 0.1
"""Seconds between two ticks while the walk runs, and while its session starts or ends."""
START_TIMEOUT = 20.0
"""Seconds that a session may take to start."""
REST_SECONDS = 5.0
"""Seconds between two sessions: Blender hangs if the next one starts too soon."""


class HeadsetWalk:
    """One walk with a headset."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self.walk = Walk(scene, xr.Headset(), HANDS)
        self.drawing = HeadsetDrawing(self.walk)
        self.shading = SessionShading()
        self.foreign = ""
        """What the scene shows that is not of a hall, "" for nothing."""
        self.saved = SavedSettings(scene)
        self.start_time = time.monotonic()
        self.running = self.stopping = False
        self._updates = deque(self._rota())

    def _rota(self) -> Iterator[Callable[[bpy.types.Scene], None]]:
        """Yields the updates that take turns, one each tick, so that no frame waits for all of them."""
        others = self.drawing.update_card, self.drawing.update_picture
        for hand, other in zip(self.walk.hands.values(), others, strict=True):
            yield partial(self.walk.find_target, hand=hand)
            yield partial(self.drawing.update_target, hand=hand)
            yield _no_update
            yield other
            yield _no_update

    def tick(self) -> float | None:
        """Updates the walk; returns the seconds until the next tick, None after the last."""
        if not xr.running():
            return self._wait_for_session()
        scene = self.walk.scene
        if scene is None or self.walk.ending:
            return self._stop()
        if not self.running:
            return self._arrive()
        for hand in self.walk.hands.values():
            self.walk.place_hand(hand, xr.hand_pose(hand.name))
        hand_actions.carry_panels(self.walk, scene)
        hand_actions.continue_export(self.walk)
        self._choose_shading()
        self._update(scene)
        self.drawing.plan(scene)
        return TICK_SECONDS

    def _update(self, scene: bpy.types.Scene) -> None:
        """Runs one time slice of the pending work and the next update; after an action, updates the card instead."""
        if self.drawing.card.busy:
            self.drawing.update_card(scene)
        if self.walk.has_acted:
            self.walk.has_acted = False
            self.drawing.update_card(scene)
            return
        self._updates[0](scene)
        self._updates.rotate(-1)

    def _choose_shading(self) -> None:
        """Lets Blender draw a scene that shows something not of a hall, and says so."""
        if self.foreign == self.drawing.foreign:
            return
        self.foreign = self.drawing.foreign
        self.shading.choose(is_foreign=bool(self.foreign))
        if self.foreign:
            self.walk.show_message(f"shown in Material Preview: {self.foreign}")

    def _wait_for_session(self) -> float | None:
        """Waits until the session has started, or finishes after it has ended or failed to start."""
        starting = not self.running and not self.stopping
        if starting and time.monotonic() - self.start_time < START_TIMEOUT:
            return WAIT_SECONDS
        if starting:
            current_session().error = f"no headset answered within {START_TIMEOUT:g} s; {xr.RUNTIME_HELP}"
        finish()
        return None

    def _arrive(self) -> float:
        """Stands at the entrance as soon as the head is tracked."""
        if xr.tracked():
            self.running = True
            self.walk.go_to(0)
            self.drawing.begin()
        return WAIT_SECONDS

    def _stop(self) -> float:
        """Releases what is held and stops the session."""
        if not self.stopping:
            self.stopping = True
            for hand in self.walk.hands.values():
                hand_actions.perform(self.walk, hand, "let_go")
            xr.remove_actions()
            xr.toggle_session()
        return WAIT_SECONDS


def _no_update(scene: bpy.types.Scene) -> None:
    """Does nothing: most frames stay cheap, and each hand's target is still found nine times a second."""


_headset_walk: HeadsetWalk | None = None
_end_time = -REST_SECONDS
"""End of the last session of a walk, by `time.monotonic`."""


def current() -> HeadsetWalk | None:
    """Returns the walk with a headset that is running, None for none."""
    return _headset_walk


def obstacle() -> str:
    """Returns why no walk can start now, "" if one can."""
    left = REST_SECONDS - (time.monotonic() - _end_time)
    if walk.current() is not None:
        return "a walk is already running"
    if xr.running():
        return "a VR session is already running; stop it in the VR tab, then start the walk"
    if left > 0:
        return f"the last session is still ending; wait {left:.0f} s"
    return xr.missing_support()


def begin(scene: bpy.types.Scene) -> str:
    """Starts a session and a walk in it. Raises SceneError."""
    global _headset_walk
    if reason := obstacle():
        raise SceneError(f"cannot start a walk: {reason}")
    if not store.is_hall(scene):
        raise SceneError(f"scene {scene.name!r} is not a hall; open a recording first")
    _headset_walk = started = HeadsetWalk(scene)
    try:
        started.saved.enter(started.walk.landmarks)
        started.shading.save()
        for handlers, handler in _handlers():
            handlers.append(handler)
        xr.toggle_session()
        started.shading.enter()
    except BaseException:
        _headset_walk = None
        _restore(started)
        raise
    walk.set_current(started.walk)
    bpy.app.timers.register(_tick, first_interval=WAIT_SECONDS, persistent=True)
    return "starting the walk; put on the headset"


def end() -> str:
    """Ends the walk and its session at the next tick."""
    if _headset_walk is None:
        return "no walk is running"
    _headset_walk.walk.ending = True
    if not _headset_walk.running:
        _headset_walk.start_time = -START_TIMEOUT
    return "the walk is ending"


def finish() -> None:
    """Restores everything after the session has ended, whatever ended it."""
    global _headset_walk, _end_time
    if _headset_walk is None:
        return
    ended, _headset_walk, _end_time = _headset_walk, None, time.monotonic()
    _restore(ended)
    walk.end_current()


def _restore(ended: HeadsetWalk) -> None:
    for handlers, handler in _handlers():
        if handler in handlers:
            handlers.remove(handler)
    ended.drawing.end()
    ended.shading.leave()
    ended.saved.leave()


def _handlers() -> list[tuple[Any, Any]]:
    """Returns (Blender's list of handlers, handler) of each event that a walk handles."""
    events = bpy.app.handlers
    return [
        (events.xr_session_start_pre, create_actions),
        (events.save_pre, _before_saving),
        (events.save_post, _after_saving),
        (events.save_post_fail, _after_saving),
    ]


def _tick() -> float | None:
    try:
        return _headset_walk.tick() if _headset_walk is not None else None
    except BaseException:  # Blender would drop the timer, and nothing would be restored
        abort()
        raise


@persistent
def create_actions(*_: Any) -> None:
    """Creates the walk's action set while the session starts, after Blender's own add-on has created its set."""
    if xr.state() is None or _headset_walk is None:
        return
    try:
        xr.create_actions()
    except SceneError as error:
        _headset_walk.walk.show_message(str(error), failed=True)


@persistent
def _before_saving(*_: Any) -> None:
    """Restores the person's settings, so that the file has no others."""
    if _headset_walk is not None:
        _headset_walk.shading.leave()
        _headset_walk.saved.restore()


@persistent
def _after_saving(*_: Any) -> None:
    """Sets those of the walk again."""
    if _headset_walk is not None:
        _headset_walk.saved.replace(_headset_walk.walk.landmarks)
        _headset_walk.shading.enter()


@persistent
def abort(*_: Any) -> None:
    """Stops the session at once and restores everything: before another file opens, or the extension is disabled."""
    if _headset_walk is None:
        return
    if xr.running() and not _headset_walk.stopping:
        xr.remove_actions()
        xr.toggle_session()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    finish()
