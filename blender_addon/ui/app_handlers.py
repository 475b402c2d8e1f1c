"""What happens when a file is saved or opened. Where a file holds no hall, next to nothing does."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..properties import VIDEO_SOURCE


@persistent
def keep_maps(*_: Any) -> None:
    """Before a save: maps live in images made in this session, which Blender would drop unless they are packed."""
    from ..scene.materials.images import pack_all

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


@persistent
def show_again(*_: Any) -> None:
    """After undo or redo: halls show what they asked for then. Maps live in images, which undo leaves as they are."""
    from ..actions import restore_shown

    restore_shown()


@persistent
def forget_asked(*_: Any) -> None:
    """After opening a file: what its halls have asked for was heard in another run."""
    from ..actions import forget_asked as forget

    forget()


@persistent
def move_film(scene: bpy.types.Scene, *_: Any) -> None:
    """After the time axis has moved: show the film's frame that is keyed there."""
    if VIDEO_SOURCE in scene:
        from ..actions.video import at_frame

        at_frame(scene)


@persistent
def render_begins(*_: Any) -> None:
    """Before pictures are rendered: from now on each waits for its frame's maps."""
    from ..actions.video import render_begins as begins

    begins(True)


@persistent
def render_ends(*_: Any) -> None:
    """After the last picture is rendered, or none will be."""
    from ..actions.video import render_begins as begins

    begins(False)


HANDLERS = (
    (bpy.app.handlers.save_pre, keep_maps), (bpy.app.handlers.load_post, offer_rebuild),
    (bpy.app.handlers.load_post, forget_asked), (bpy.app.handlers.undo_post, show_again),
    (bpy.app.handlers.redo_post, show_again), (bpy.app.handlers.frame_change_post, move_film),
    (bpy.app.handlers.render_init, render_begins), (bpy.app.handlers.render_complete, render_ends),
    (bpy.app.handlers.render_cancel, render_ends),
)  # fmt: skip
