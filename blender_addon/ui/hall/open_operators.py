"""Operators that open recordings and rebuild old halls, and their entries in File > Import."""

from __future__ import annotations

import bpy

from ..common.operators import ActionOperator, FolderOperator
from ..common.translating import translated


class INNERWALK_OT_import_recording(FolderOperator):
    """Build the hall of a recorded network, or of a series of recordings, in a new scene"""

    bl_idname = "innerwalk.import_recording"
    bl_label = "Import Recording"

    directory: bpy.props.StringProperty(
        name="Recording", description="Folder of the recording or series", subtype="DIR_PATH"
    )


class INNERWALK_OT_open_demo(ActionOperator):
    """Build the hall of the network that comes with Innerwalk, on a picture of toys"""

    bl_idname = "innerwalk.open_demo"
    bl_label = "Open Demo Recording"


class INNERWALK_OT_rebuild_groups(ActionOperator):
    """Rebuild the halls and node groups in this file that an older version of Innerwalk has made"""

    bl_idname = "innerwalk.rebuild_groups"
    bl_label = "Rebuild Old Halls"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the file has old halls."""
        cls.poll_message_set("The halls of this file are up to date")
        from ...actions import outdated_halls

        return bool(outdated_halls())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for confirmation."""
        message = translated(
            "An older version of Innerwalk has made the halls of this file. Moved panels stay where they are"
        )
        return set(context.window_manager.invoke_confirm(self, event, title=self.bl_label, message=message))


def draw_import(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draws the entries of File > Import."""
    menu.layout.operator(INNERWALK_OT_import_recording.bl_idname, text="Network Recording (Innerwalk)")
    menu.layout.operator(INNERWALK_OT_open_demo.bl_idname, text="Innerwalk Demo")
    menu.layout.operator("innerwalk.start_bridge", text="Start Networks (Innerwalk)")


CLASSES = (INNERWALK_OT_import_recording, INNERWALK_OT_open_demo, INNERWALK_OT_rebuild_groups)
MENUS = ((bpy.types.TOPBAR_MT_file_import, draw_import),)
