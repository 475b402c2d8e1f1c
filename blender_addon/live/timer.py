"""The timer that shows what was heard. It runs only while there is a bridge, and never holds Blender for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import bpy

from ...torch_bridge.recording.errors import BridgeError
from ..properties import INPUT_TAG
from ..scene.hall.store import halls
from .results import LONG, show
from .session import Session, current

SLICE = 0.02
"""Seconds of one go; the last piece may be over it by what the maps of one layer cost. What is LONG has its own."""
OFTEN, SELDOM = 0.01, 0.1
"""Seconds between two goes when something came, and when nothing did."""
PATIENT = 2.0
"""The most between two goes of a job, where a redraw takes long."""


def start() -> None:
    """Begin, if it isn't running."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, persistent=True)
    redraw()


def stop() -> None:
    """End it."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


_due = 0.0
"""When the next go should begin, by `time.monotonic`."""


def tick() -> float | None:
    """One go; seconds until the next, None for no more."""
    global _due
    late = time.monotonic() - _due
    came = pump(SLICE)
    if came:
        redraw()
    session = current()
    if session.link is None and not session.pending:
        return None
    pause = OFTEN if came or session.expects or (session.link is not None and session.link.busy) else SELDOM
    if came and not hurried(session):
        pause = max(pause, min(late, PATIENT))
    _due = time.monotonic() + pause
    return pause


def hurried(session: Session) -> bool:
    """Whether a hall waits for an input. Else what a job has made leaves as much time as drawing it takes."""
    return session.pending or any(
        scene.get(INPUT_TAG) not in (None, session.shown.get(scene.session_uid)) for scene in halls()
    )


def pump(seconds: float) -> bool:
    """Show what there is, for so long; whether there was anything."""
    session, end, came = current(), time.monotonic() + seconds, False
    while time.monotonic() < end and (heard := session.heard()) is not None:
        if came and heard.kind in LONG:
            session.next(heard)
            break
        show(session, heard)
        came = True
        if heard.kind in LONG:
            break
    return came


def redraw() -> None:
    """Panels of the interface and views are drawn again; nobody else knows that something came."""
    manager = bpy.context.window_manager
    for window in manager.windows if manager else ():
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def is_ours() -> bool:
    """Whether this is the thread that shows what comes."""
    return threading.current_thread() is threading.main_thread()


def wait(until: Callable[[], bool], seconds: float) -> None:
    """For scripts: show what comes until something holds. In another thread, such as a render's, only wait for it.

    Raises BridgeError after so many seconds.
    """
    end = time.monotonic() + seconds
    while not until():
        if not (is_ours() and pump(SLICE)):
            time.sleep(0.005)
        if time.monotonic() > end:
            raise BridgeError(f"nothing came for {seconds:g} s ({current().error or 'the bridge is still at work'})")
