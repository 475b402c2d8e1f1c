"""Halls of recordings are built, and halls that an older version has built are rebuilt."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..scene.hall import store
from ..scene.hall.build import rebuild_hall
from ..scene.hall.series import create_folder_hall
from ..scene.panels import panels
from ..scene.view import viewport
from ..scene.view.render import set_engine
from .viewing import enter

DEMO_FOLDER = Path(__file__).resolve().parent.parent / "demo"
"""Folder of the recording that comes with Innerwalk."""


def import_recording(directory: Path | str) -> str:
    """Builds the hall of the recording or series in a folder in a new scene, and shows it.

    Returns a line that says the number of panels and the scene's name. Raises RecordingError or SceneError.
    """
    scene = create_folder_hall(directory)
    show_hall(scene)
    return f"{store.read_description(scene).network.name}: {len(panels(scene))} panels in scene {scene.name}"


def show_hall(scene: bpy.types.Scene) -> None:
    """Shows a new hall in the window, from its entrance, by its own engine; does nothing in the background."""
    if bpy.context.window:
        bpy.context.window.scene = scene
    if viewport.find_view_area(scene):
        set_engine(scene, "innerwalk")
        enter(scene)


def open_demo() -> str:
    """Builds the hall of the network that comes with Innerwalk, and shows it. Returns as `import_recording`."""
    return import_recording(DEMO_FOLDER)


def outdated_halls() -> list[bpy.types.Scene]:
    """Returns the halls of this file that an older version of Innerwalk has built."""
    return [scene for scene in store.halls() if store.is_outdated(scene)]


def rebuild_groups() -> str:
    """Rebuilds the halls of an older version; moved panels stay where they are. Returns a line that names the halls."""
    names = [rebuild_hall(scene).name for scene in outdated_halls()]
    return f"rebuilt {', '.join(names)}" if names else "everything is up to date"
