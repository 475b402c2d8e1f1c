"""Pictures that a person takes of a hall from where they stand."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...torch_bridge.recording.errors import InnerwalkError, SceneError
from ..extension import EXTENSION_ID
from ..layout.view import View
from ..live.session import current
from ..output import pictures
from ..scene.view.region_view import region_view

FOLDER = "pictures"
"""Folder of pictures, beside the saved file."""


def take_picture(scene: bpy.types.Scene) -> str:
    """Keeps a small picture of what the 3D view of the context shows, which `render_pictures` renders in full size.

    Returns a line that says which file it is. Raises SceneError.
    """
    return take_picture_from(scene, _view_here())


def take_picture_from(scene: bpy.types.Scene, view: View | None) -> str:
    """Does the same for what a camera shows; view: None for the scene's own camera. Raises SceneError."""
    folder = own_folder()
    if folder is None:
        raise SceneError("save the Blender file first: pictures are put beside it")
    taken = pictures.take_picture(scene, view, folder / FOLDER)
    waiting = current().hall(scene.session_uid).pictures
    waiting.append(taken)
    return f"{taken.file.name} is taken; {len(waiting)} to be rendered in full size"


def render_pictures(scene: bpy.types.Scene) -> str:
    """Renders the pictures that were taken in full size, each with its recipe if the file is saved.

    Returns a line that says where the last one is. Raises SceneError if there are none, or for the first that can't be
    made, once all others are.
    """
    waiting = current().hall(scene.session_uid).pictures
    if not waiting:
        raise SceneError("no picture is waiting; take one first")
    line, failed = "", None
    while waiting:
        try:
            line = pictures.finish_picture(scene, waiting.pop(0))
        except InnerwalkError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return line


def has_pictures(scene: bpy.types.Scene) -> bool:
    """Returns whether pictures of the hall wait to be rendered in full size."""
    return bool(current().hall(scene.session_uid).pictures)


def own_folder() -> Path | None:
    """Returns the folder of exports and pictures: that of the saved file, else the extension's; None without either."""
    if bpy.data.filepath:
        return Path(bpy.data.filepath).parent
    try:
        return Path(bpy.utils.extension_path_user(EXTENSION_ID, path="export", create=True))
    except (ValueError, OSError):  # Innerwalk runs as a plain package, or the user's folder is read-only
        return None


def _view_here() -> View | None:
    """Returns what the 3D view of the context shows, None for a camera's view. Raises SceneError without one."""
    area = bpy.context.area
    if area is None or area.type != "VIEW_3D":
        raise SceneError("no 3D view is here; call this in one, or name a view")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return region_view(region, area.spaces.active.region_3d)
