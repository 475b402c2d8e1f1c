"""What a person can do from Blender's menus. Every expected error is shown as one line, never as a traceback.

What the work needs is imported when it is done, so that enabling the extension costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy

from ...torch_bridge.errors import InnerwalkError

DEMO = Path(__file__).resolve().parent.parent / "demo"


def attempt(operator: bpy.types.Operator, work: Callable[[], str]) -> set[str]:
    """Do the work and report the line it returns, or why it could not be done."""
    try:
        operator.report({"INFO"}, work())
    except (InnerwalkError, OSError) as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


def open_recording(folder: Path) -> str:
    """Build the hall of a recording in a scene of its own, show it, and say so."""
    from ...torch_bridge.recording import load
    from ..scene.build import build
    from ..scene.panels import panels

    recording = load(folder)
    scene = build(recording)
    if bpy.context.window:
        bpy.context.window.scene = scene
    return f"{recording.network.name}: {len(panels(scene))} panels in scene {scene.name}"


def outdated() -> list[bpy.types.Scene]:
    """Halls of this file that an older version has built."""
    from ..scene import store

    return [scene for scene in store.halls() if store.outdated(scene)]


def rebuild_all() -> str:
    """Build them anew; panels that were moved stay where they are."""
    from ..scene.build import rebuild

    found = [rebuild(scene).name for scene in outdated()]
    return f"rebuilt {', '.join(found)}" if found else "everything is up to date"


class INNERWALK_OT_import_recording(bpy.types.Operator):
    """Build the hall of a recorded network in a scene of its own"""

    bl_idname = "innerwalk.import_recording"
    bl_label = "Import Recording"
    bl_options = {"REGISTER", "UNDO"}

    directory: bpy.props.StringProperty(name="Recording", description="Folder of the recording", subtype="DIR_PATH")
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it."""
        return attempt(self, lambda: open_recording(Path(bpy.path.abspath(self.directory))))


class INNERWALK_OT_open_demo(bpy.types.Operator):
    """Build the hall of the small network that comes with Innerwalk"""

    bl_idname = "innerwalk.open_demo"
    bl_label = "Open Demo Recording"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it."""
        return attempt(self, lambda: open_recording(DEMO))


class INNERWALK_OT_rebuild_groups(bpy.types.Operator):
    """Build the halls and node groups anew that an older Innerwalk has saved in this file"""

    bl_idname = "innerwalk.rebuild_groups"
    bl_label = "Rebuild Old Halls"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there are old ones."""
        cls.poll_message_set("The halls of this file are up to date")
        return bool(outdated())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        told = "An older Innerwalk has made this file's halls. Panels that were moved stay where they are."
        return set(context.window_manager.invoke_confirm(self, event, title=self.bl_label, message=told))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Rebuild them."""
        return attempt(self, rebuild_all)


CLASSES = (INNERWALK_OT_import_recording, INNERWALK_OT_open_demo, INNERWALK_OT_rebuild_groups)


def draw_import(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Entries of File > Import."""
    menu.layout.operator(INNERWALK_OT_import_recording.bl_idname, text="Network Recording (Innerwalk)")
    menu.layout.operator(INNERWALK_OT_open_demo.bl_idname, text="Innerwalk Demo")
