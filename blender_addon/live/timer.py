"""The timer that shows events of the bridge. It runs only while there is a bridge, and in short slices."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import bpy

from ...torch_bridge.recording.errors import BridgeError
from ..properties import INPUT_TAG
from ..scene.hall.store import halls
from .bridge_events import SLOW, handle
from .hall_requests import close_unused_videos
from .session import Session, current

SLICE_SECONDS = 0.02
"""Seconds that one tick may take. The last event may exceed them."""
SHARED_SECONDS = 0.01
"""Seconds after which SLOW events wait for the next tick: small networks show a whole answer in one redraw."""
BUSY_INTERVAL, IDLE_INTERVAL = 0.01, 0.1
"""Seconds between two ticks when something was shown, and when nothing was."""
LONGEST_INTERVAL = 2.0
"""Most seconds between two ticks that show a job's maps, where redrawing takes long."""


def start() -> None:
    """Starts the timer if it isn't running."""
    if not is_running():
        bpy.app.timers.register(tick, persistent=True)
    redraw()


def is_running() -> bool:
    """Returns whether the timer runs; without it, nobody calls what another thread queues."""
    return bool(bpy.app.timers.is_registered(tick))


def show_queued() -> None:
    """Starts the timer, which shows what is queued; in the background, where no timer runs, shows it at once."""
    session = current()
    while in_background() and session.has_queued and (event := session.next_event()) is not None:
        handle(session, event)
    start()


def stop() -> None:
    """Stops the timer."""
    if is_running():
        bpy.app.timers.unregister(tick)


_next_tick = 0.0
"""Time at which the next tick is due, by `time.monotonic`."""


def tick() -> float | None:
    """Shows events for one slice; returns the seconds until the next tick, None to stop."""
    global _next_tick
    late = time.monotonic() - _next_tick
    shown = pump(SLICE_SECONDS)
    if shown:
        redraw()
    session = current()
    if session.link is None and not session.has_queued:
        return None
    busy = shown or session.has_scheduled or (session.link is not None and session.link.busy)
    interval = BUSY_INTERVAL if busy else IDLE_INTERVAL
    if shown and not input_awaited(session):  # a job's maps: leave as much time as drawing them takes
        interval = max(interval, min(late, LONGEST_INTERVAL))
    _next_tick = time.monotonic() + interval
    return interval


def input_awaited(session: Session) -> bool:
    """Returns whether a hall waits for an input, or something queued here waits to be shown."""
    return session.has_queued or any(
        scene.get(INPUT_TAG) not in (None, session.hall(scene.session_uid).shown) for scene in halls()
    )


def pump(seconds: float) -> bool:
    """Shows the events there are, for so many seconds at most; returns whether there were any."""
    session, shown = current(), False
    close_unused_videos(session)
    start = time.monotonic()
    while (spent := time.monotonic() - start) < seconds and (event := session.next_event()) is not None:
        if event.kind in SLOW and spent > SHARED_SECONDS:
            session.show_next(event)
            break
        handle(session, event)
        shown = True
    return shown


def show_fast_answer(seconds: float = 0.1) -> None:
    """Shows the answer to an input if it comes within so many seconds, so that no redraw comes before it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and input_awaited(current()):
        if not pump(SLICE_SECONDS):
            time.sleep(0.002)


def redraw() -> None:
    """Redraws all 3D views with their sidebars."""
    manager = bpy.context.window_manager
    for window in manager.windows if manager else ():
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def in_background() -> bool:
    """Returns whether Blender runs without a window, where no timer runs: time passes only while scripts wait."""
    return bool(bpy.app.background)


def in_main_thread() -> bool:
    """Returns whether this is the main thread, the only one that shows events."""
    return threading.current_thread() is threading.main_thread()


def wait(until: Callable[[], bool], seconds: float) -> None:
    """Shows events until `until()` is true, for scripts.

    In another thread than the main one, such as a render's, only wait. Raises BridgeError after so many seconds.
    """
    end = time.monotonic() + seconds
    while not until():
        if not (in_main_thread() and pump(SLICE_SECONDS)):
            time.sleep(0.005)
        if time.monotonic() > end:
            raise BridgeError(f"no answer within {seconds:g} s ({current().error or 'the bridge is still at work'})")
