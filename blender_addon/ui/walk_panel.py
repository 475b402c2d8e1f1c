"""The sidebar's Explore panel and the operators of walks, with a headset or on the desktop."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .common.operators import ActionOperator, NeedsHall, attempt
from .common.panels import HallPanel

INSPECTION = "viewport_vr_preview"
"""Module of Blender's add-on VR Scene Inspection."""


class INNERWALK_OT_start_walk(NeedsHall, ActionOperator):
    """Walk through the hall with a headset"""

    bl_idname = "innerwalk.start_walk"
    bl_label = "Walk in VR"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the scene is a hall and a walk can start."""
        if not super().poll(context):
            return False
        from ..vr.headset.headset_walk import obstacle

        reason = obstacle()
        cls.poll_message_set(reason[:1].upper() + reason[1:])
        return not reason


class INNERWALK_OT_walk_at_desk(NeedsHall, ActionOperator):
    """Walk through the hall in this 3D view, with keys, mouse and a crosshair"""

    bl_idname = "innerwalk.walk_at_desk"
    bl_label = "Walk Here"
    bl_options = {"REGISTER", "GRAB_CURSOR", "BLOCKING"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Starts the walk and takes keys and mouse; the cursor is hidden and wraps around."""
        if self.execute(context) != {"FINISHED"}:
            return {"CANCELLED"}
        context.window.cursor_modal_set("NONE")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Gives keys and mouse to the walk until it ends."""
        from ..vr.desk.desk_walk import current

        walk = current()
        if walk is None:
            return {"FINISHED"}
        return {"RUNNING_MODAL"} if walk.handle_event(event) else {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Ends the walk when its window is closed."""
        from ..vr.desk.desk_walk import finish

        finish()


class INNERWALK_OT_end_walk(NeedsHall, ActionOperator):
    """End the walk"""

    bl_idname = "innerwalk.end_walk"
    bl_label = "End Walk"
    bl_options = {"REGISTER"}


class INNERWALK_OT_go_to_place(NeedsHall, ActionOperator):
    """Move to a place of the tour"""

    bl_idname = "innerwalk.go_to_place"
    bl_label = "Go to Place"
    bl_options = {"REGISTER"}

    place: bpy.props.StringProperty(name="Place", description="Entrance, Input, the name of a stage, or Answer")


class INNERWALK_OT_take_picture(NeedsHall, ActionOperator):
    """Render what this 3D view shows into a folder beside the file, with its recipe"""

    bl_idname = "innerwalk.take_picture"
    bl_label = "Take Picture Here"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Takes the picture; without a walk, renders it in full size at once."""
        from .. import actions
        from ..vr.walk import current

        def take() -> str:
            line = actions.take_picture(context.scene)
            return line if current() is not None else actions.render_pictures(context.scene)

        return attempt(self, take)


class INNERWALK_OT_render_pictures(NeedsHall, ActionOperator):
    """Render the pictures that were taken in a walk in full size"""

    bl_idname = "innerwalk.render_pictures"
    bl_label = "Render Pictures"
    bl_options = {"REGISTER"}


def inspection_is_off() -> bool:
    """Returns whether Blender's add-on VR Scene Inspection is there and isn't enabled; remembered for each state."""
    enabled = {entry.module for entry in bpy.context.preferences.addons}
    return not any(name.rpartition(".")[2] == INSPECTION for name in enabled) and bool(_inspection_module())


@cache
def _inspection_module() -> str:
    """Returns the name of the add-on's module, "" where this Blender has none."""
    import addon_utils

    modules: Any = addon_utils.modules
    return next((module.__name__ for module in modules() if module.__name__.rpartition(".")[2] == INSPECTION), "")


class INNERWALK_OT_enable_inspection(bpy.types.Operator):
    """Enable Blender's own add-on VR Scene Inspection, whose VR tab mirrors what the headset shows"""

    bl_idname = "innerwalk.enable_inspection"
    bl_label = "Enable VR Scene Inspection"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Enables it as the preferences do."""
        bpy.ops.preferences.addon_enable(module=_inspection_module())
        return {"FINISHED"}


class INNERWALK_OT_hand(bpy.types.Operator):
    """Action of a controller's button during a walk"""

    bl_idname = "innerwalk.hand"
    bl_label = "Hand"
    bl_options = {"INTERNAL"}

    act: bpy.props.StringProperty()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Runs the action for the hand that pressed the button."""
        from ..vr.headset.button_press import handle_button

        handle_button(self.act, event)
        return {"FINISHED"}


class INNERWALK_PT_walk(HallPanel, bpy.types.Panel):
    """Walks through the hall"""

    bl_label = "Explore"
    bl_order = 5

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the buttons to start a walk, or the places of the walk that is running."""
        from ..vr.walk import current

        layout, walk = self.layout, current()
        if walk is None:
            row = layout.row(align=True)
            row.scale_y = 1.4
            row.operator("innerwalk.walk_at_desk", icon="VIEW_PERSPECTIVE")
            row.operator("innerwalk.start_walk", icon="HIDE_OFF")
            if inspection_is_off():
                row.operator("innerwalk.enable_inspection", text="", icon="CHECKBOX_DEHLT")
            column = layout.column(align=True)
            column.operator("innerwalk.compare_input", icon="IMAGE_REFERENCE")
            column.menu("INNERWALK_MT_networks", icon="MOD_ARRAY")
            row = layout.row(align=True)
            row.menu("INNERWALK_MT_export", icon="EXPORT")
            row.operator("innerwalk.take_picture", text="Take Picture", icon="CAMERA_DATA")
            return
        layout.operator("innerwalk.end_walk", icon="X")
        column = layout.column(align=True)
        for landmark in walk.landmarks:
            column.operator("innerwalk.go_to_place", text=landmark.name).place = landmark.name


@persistent
def _end_walk(*_: Any) -> None:
    """Ends the walk before another file is opened or the extension is disabled; loads nothing if there was none."""
    if f"{__package__.rpartition('.')[0]}.vr.headset.headset_walk" in sys.modules:
        from ..vr.desk import desk_walk
        from ..vr.headset import headset_walk

        desk_walk.finish()
        headset_walk.abort()


CLASSES = (
    INNERWALK_OT_start_walk,
    INNERWALK_OT_walk_at_desk,
    INNERWALK_OT_end_walk,
    INNERWALK_OT_go_to_place,
    INNERWALK_OT_take_picture,
    INNERWALK_OT_render_pictures,
    INNERWALK_OT_enable_inspection,
    INNERWALK_OT_hand,
    INNERWALK_PT_walk,
)
HANDLERS = ((bpy.app.handlers.load_pre, _end_walk),)
CLOSING = (_end_walk,)
