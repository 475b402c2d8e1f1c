"""The timer that shows what was heard. It runs only while there is a bridge, and never holds Blender for long."""

from __future__ import annotations

import time
from collections.abc import Callable

import bpy

from ...torch_bridge.errors import BridgeError
from .session import current
from .showing import show

SLICE = 0.02
"""Seconds of one go; the last piece may be over it by what the maps of one layer cost."""
OFTEN, SELDOM = 0.01, 0.1
"""Seconds between two goes when something came, and when nothing did."""


def start() -> None:
    """Begin, if it isn't running."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, persistent=True)
    redraw()


def stop() -> None:
    """End it."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


def tick() -> float | None:
    """One go; seconds until the next, None for no more."""
    came = pump(SLICE)
    if came:
        redraw()
    session = current()
    if session.link is None and not session.pending:
        return None
    return OFTEN if came or (session.link is not None and session.link.busy) else SELDOM


def pump(seconds: float) -> bool:
    """Show what there is, for so long; whether there was anything."""
    session, end, came = current(), time.monotonic() + seconds, False
    while time.monotonic() < end and (heard := session.heard()) is not None:
        show(session, heard)
        came = True
    return came


def redraw() -> None:
    """Panels of the interface and views are drawn again; nobody else knows that something came."""
    manager = bpy.context.window_manager
    for window in manager.windows if manager else ():
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def wait(until: Callable[[], bool], seconds: float) -> None:
    """For scripts: show what comes until something holds. Raises BridgeError after so many seconds."""
    end = time.monotonic() + seconds
    while not until():
        if not pump(SLICE):
            time.sleep(0.005)
        if time.monotonic() > end:
            raise BridgeError(f"nothing came for {seconds:g} s ({current().error or 'the bridge is still at work'})")
