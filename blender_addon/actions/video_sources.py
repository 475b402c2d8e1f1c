"""Paths of input videos: absolute in this run, relative in the .blend file where both lie in one folder.

So a folder that holds a .blend file with its videos can be moved.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from ..properties import VIDEO_SOURCE
from ..scene.hall import session_events, store

CAMERA = "camera:"
"""What the name of a camera begins with."""
RELATIVE = "//"
"""What a path begins with that is relative to the .blend file's folder."""


def absolute_source(source: str) -> str:
    """Returns the absolute path of a video file; other names, of cameras or on another machine, stay as they are.

    source: a path that begins with // is relative to the .blend file, others to the working directory.
    """
    if source.startswith(CAMERA):
        return source
    path = Path(bpy.path.abspath(source))
    return str(path.absolute() if path.exists() else path)


def relate_sources(blend: str) -> None:
    """Makes the paths of videos in or below a .blend file's folder relative to it; called before it is saved."""
    folder = Path(blend).absolute().parent
    for scene in store.halls():
        path = Path(absolute_source(str(scene.get(VIDEO_SOURCE, ""))))
        if path.is_relative_to(folder):
            scene[VIDEO_SOURCE] = RELATIVE + path.relative_to(folder).as_posix()


def restore_sources(blend: str) -> None:
    """Makes the paths absolute again; called after a .blend file was saved or couldn't be."""
    folder = Path(blend).absolute().parent
    for scene in store.halls():
        source = str(scene.get(VIDEO_SOURCE, ""))
        if source.startswith(RELATIVE):
            scene[VIDEO_SOURCE] = str(folder / source.removeprefix(RELATIVE))


session_events.subscribe("save_pre", relate_sources)
session_events.subscribe("save_post", restore_sources)
session_events.subscribe("save_post_fail", restore_sources)
