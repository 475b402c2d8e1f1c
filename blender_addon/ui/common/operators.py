"""What a person can do from Blender's menus. Every expected error is shown as one line, never as a traceback.

What the work needs is imported when it is done, so that enabling the extension costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ....torch_bridge.recording.errors import InnerwalkError


def session() -> Any:
    """The live session, with what is known of the bridge."""
    from ...live.session import current

    return current()


def attempt(operator: bpy.types.Operator, work: Callable[[], str]) -> set[str]:
    """Do the work and report the line it returns, or why it could not be done."""
    try:
        operator.report({"INFO"}, work())
    except (InnerwalkError, OSError) as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


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
        from ...actions import import_recording

        return attempt(self, lambda: import_recording(bpy.path.abspath(self.directory)))


class INNERWALK_OT_open_demo(bpy.types.Operator):
    """Build the hall of the small network that comes with Innerwalk"""

    bl_idname = "innerwalk.open_demo"
    bl_label = "Open Demo Recording"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it."""
        from ...actions import open_demo

        return attempt(self, open_demo)


class INNERWALK_OT_rebuild_groups(bpy.types.Operator):
    """Build the halls and node groups anew that an older Innerwalk has saved in this file"""

    bl_idname = "innerwalk.rebuild_groups"
    bl_label = "Rebuild Old Halls"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there are old ones."""
        cls.poll_message_set("The halls of this file are up to date")
        from ...actions import outdated

        return bool(outdated())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        told = "An older Innerwalk has made this file's halls. Panels that were moved stay where they are."
        return set(context.window_manager.invoke_confirm(self, event, title=self.bl_label, message=told))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Rebuild them."""
        from ...actions import rebuild_groups

        return attempt(self, rebuild_groups)


CLASSES = (INNERWALK_OT_import_recording, INNERWALK_OT_open_demo, INNERWALK_OT_rebuild_groups)


def draw_import(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Entries of File > Import."""
    menu.layout.operator(INNERWALK_OT_import_recording.bl_idname, text="Network Recording (Innerwalk)")
    menu.layout.operator(INNERWALK_OT_open_demo.bl_idname, text="Innerwalk Demo")
    menu.layout.operator("innerwalk.start_bridge", text="Start Innerwalk Bridge")


MENUS = ((bpy.types.TOPBAR_MT_file_import, draw_import),)
