"""Handlers of Blender's application events: saving, opening, undo, animation and rendering.

In a file without halls they do next to nothing.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..properties import VIDEO_SOURCE


@persistent
def pack_maps(*_: Any) -> None:
    """Before saving: packs the images of maps, which Blender would otherwise drop."""
    from ..scene.materials.images import pack_images

    pack_images()


@persistent
def offer_rebuild(*_: Any) -> None:
    """After opening a file with halls of an older version: asks whether to rebuild them."""
    from ..actions import outdated_halls

    if not bpy.app.background and outdated_halls():
        bpy.app.timers.register(_ask_to_rebuild)  # when the window is there


def _ask_to_rebuild() -> None:
    bpy.ops.innerwalk.rebuild_groups("INVOKE_DEFAULT")


@persistent
def restore_maps(*_: Any) -> None:
    """After undo or redo: shows the maps that each hall showed then, because undo doesn't change images."""
    from ..actions import restore_after_undo

    restore_after_undo()


@persistent
def forget_requests(*_: Any) -> None:
    """After opening a file: drops the requests of its halls, which belong to another session."""
    from .. import actions

    actions.forget_requests()


@persistent
def move_video(scene: bpy.types.Scene, *_: Any) -> None:
    """After a change of the frame: shows the video's frame that is keyed there."""
    if VIDEO_SOURCE in scene:
        from ..actions.video import show_keyed_frame

        show_keyed_frame(scene)


@persistent
def start_rendering(*_: Any) -> None:
    """Before rendering: from now on each frame waits for its maps."""
    from ..actions.video import set_rendering

    set_rendering(True)


@persistent
def stop_rendering(*_: Any) -> None:
    """After rendering, finished or cancelled: frames no longer wait."""
    from ..actions.video import set_rendering

    set_rendering(False)


HANDLERS = (
    (bpy.app.handlers.save_pre, pack_maps),
    (bpy.app.handlers.load_post, offer_rebuild),
    (bpy.app.handlers.load_post, forget_requests),
    (bpy.app.handlers.undo_post, restore_maps),
    (bpy.app.handlers.redo_post, restore_maps),
    (bpy.app.handlers.frame_change_post, move_video),
    (bpy.app.handlers.render_init, start_rendering),
    (bpy.app.handlers.render_complete, stop_rendering),
    (bpy.app.handlers.render_cancel, stop_rendering),
)
