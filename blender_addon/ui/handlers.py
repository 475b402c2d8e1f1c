"""What happens when a file is saved or opened. Where a file holds no hall, next to nothing does."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent


@persistent
def keep_maps(*_: Any) -> None:
    """Before a save: maps live in images made in this session, which Blender would drop unless they are packed."""
    from ..scene.images import pack_all

    pack_all()


@persistent
def offer_rebuild(*_: Any) -> None:
    """After opening a file with halls of an older version: ask whether to rebuild them. Nobody is there to ask in the
    background.
    """
    from ..actions import outdated

    if not bpy.app.background and outdated():
        bpy.app.timers.register(_ask)  # once the window is there


def _ask() -> None:
    bpy.ops.innerwalk.rebuild_groups("INVOKE_DEFAULT")


HANDLERS = ((bpy.app.handlers.save_pre, keep_maps), (bpy.app.handlers.load_post, offer_rebuild))
