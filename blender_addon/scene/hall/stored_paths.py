"""Paths of videos and series: absolute in this run, relative in the .blend file where both lie in one folder.

So a folder that holds a .blend file with its videos and series can be moved.
"""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from ...properties import SERIES_FOLDER, VIDEO_SOURCE
from . import session_events, store

KEYS = (VIDEO_SOURCE, SERIES_FOLDER)
"""Properties of a hall's scene that hold a path."""
CAMERA = "camera:"
"""What the name of a camera begins with."""
RELATIVE = "//"
"""What a path begins with that is relative to the .blend file's folder."""


def absolute_path(source: str) -> str:
    """Returns the absolute path of a file or folder; other names, of cameras or on another machine, stay as they are.

    source: a path that begins with // is relative to the .blend file, others to the working directory; "" for none.
    """
    if not source or source.startswith(CAMERA):
        return source
    path = Path(bpy.path.abspath(source))
    return str(path.absolute() if os.path.exists(path) else path)


def relate_paths(blend: str) -> None:
    """Makes paths in or below a .blend file's folder relative to it; called before it is saved."""
    folder = Path(blend).absolute().parent
    for scene in store.halls():
        for key in KEYS:
            path = Path(absolute_path(str(scene.get(key, ""))))
            if path.is_relative_to(folder):
                scene[key] = RELATIVE + path.relative_to(folder).as_posix()


def restore_paths(blend: str) -> None:
    """Makes the paths absolute again; called after a .blend file was saved or couldn't be."""
    for scene in store.halls():
        resolve_paths(scene, Path(blend).absolute().parent)


def resolve_paths(scene: bpy.types.Scene, folder: Path) -> None:
    """Makes the relative paths of a hall absolute; folder: that of the .blend file which holds it."""
    for key in KEYS:
        source = str(scene.get(key, ""))
        if source.startswith(RELATIVE):
            scene[key] = str(folder / source.removeprefix(RELATIVE))


session_events.subscribe("save_pre", relate_paths)
session_events.subscribe("save_post", restore_paths)
session_events.subscribe("save_post_fail", restore_paths)
