"""Recordings become halls, and the halls of older files are built anew."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...torch_bridge.recording import load
from ..scene.hall import store
from ..scene.hall.build import build, rebuild
from ..scene.panels import panels
from ..scene.view import viewport
from .viewing import enter

DEMO = Path(__file__).resolve().parent.parent / "demo"


def import_recording(directory: Path | str) -> str:
    """Build the hall of a recording in a scene of its own, show it, and say so. Raises RecordingError or SceneError."""
    recording = load(directory)
    scene = build(recording)
    show_hall(scene)
    return f"{recording.network.name}: {len(panels(scene))} panels in scene {scene.name}"


def show_hall(scene: bpy.types.Scene) -> None:
    """The window shows a hall that was just built, from its entrance; in the background nothing does."""
    if bpy.context.window:
        bpy.context.window.scene = scene
    if viewport.viewport(scene):
        enter(scene)


def open_demo() -> str:
    """Build the hall of the small network that comes with Innerwalk."""
    return import_recording(DEMO)


def outdated() -> list[bpy.types.Scene]:
    """Halls of this file that an older version has built."""
    return [scene for scene in store.halls() if store.outdated(scene)]


def rebuild_groups() -> str:
    """Build them anew; panels that were moved stay where they are."""
    found = [rebuild(scene).name for scene in outdated()]
    return f"rebuilt {', '.join(found)}" if found else "everything is up to date"
