"""Handlers of Blender's application events: they hand files with halls over to `scene.hall.session_events`.

In a file without halls they do next to nothing.
"""

from __future__ import annotations

import sys
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..properties import HALL_VERSION

ACTIONS = f"{__package__.removesuffix('.ui')}.actions"
"""The module that is loaded once there has been a hall, whose extension may have been disabled since."""
EVENTS = ("load_post", "save_pre", "undo_post", "redo_post", "frame_change_post", "render_init")
"""Events at which halls may be in the file that were not when it was opened, or before the extension was enabled."""


@persistent
def hand_over(*_: Any) -> None:
    """Installs the handlers of halls if there are halls or have been some; Blender calls them for this event too."""
    if ACTIONS in sys.modules or any(HALL_VERSION in scene for scene in bpy.data.scenes):
        from .. import actions  # noqa: F401 - subscribes to the events
        from ..scene.hall import session_events

        session_events.update_handlers()


@persistent
def offer_rebuild(*_: Any) -> None:
    """After opening a file with halls of an older version: asks whether to rebuild them."""
    from ..actions import outdated_halls

    if not bpy.app.background and outdated_halls():
        bpy.app.timers.register(_ask_to_rebuild)  # when the window is there


def _ask_to_rebuild() -> None:
    bpy.ops.innerwalk.rebuild_groups("INVOKE_DEFAULT")


def _remove_handlers() -> None:
    """Removes the handlers of halls when the extension is disabled."""
    from ..scene.hall import session_events

    session_events.remove_handlers()


HANDLERS = (
    *((getattr(bpy.app.handlers, event), hand_over) for event in EVENTS),
    (bpy.app.handlers.load_post, offer_rebuild),
)
CLOSING = (_remove_handlers,)
