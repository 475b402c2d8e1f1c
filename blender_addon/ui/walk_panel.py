"""Operators and panel of walks: with a headset, or at the desk; and what hands and keys tell Blender."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..properties import HALL_VERSION
from .bridge.preferences import (SHADINGS, texture_budget)
from .common.operators import attempt
from .hall.panel_operators import InHall


class INNERWALK_OT_start_walk(InHall, bpy.types.Operator):
    """Walk through the hall with a headset"""

    bl_idname = "innerwalk.start_walk"
    bl_label = "Start Walk"
    bl_options = {"REGISTER"}

    shading: bpy.props.EnumProperty(name="Shading", description="What the headset shows", items=SHADINGS)
    textures: bpy.props.IntProperty(name="Textures", description="MiB that they may take", default=256, min=16)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall, and not right after another session."""
        if not super().poll(context):
            return False
        from ..vr.headset.headset_walk import cannot

        cls.poll_message_set(cannot().capitalize())
        return not cannot()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start it."""
        from ..actions import start_walk

        return attempt(self, lambda: start_walk(context.scene, self.shading, self.textures))


class INNERWALK_OT_walk_at_desk(InHall, bpy.types.Operator):
    """Walk through the hall in this 3D view, with keys, mouse and a crosshair"""

    bl_idname = "innerwalk.walk_at_desk"
    bl_label = "Walk at the Desk"
    bl_options = {"REGISTER", "GRAB_CURSOR", "BLOCKING"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begin, and take keys and mouse from now on; the pointer is hidden and never meets an edge."""
        if self.execute(context) != {"FINISHED"}:
            return {"CANCELLED"}
        context.window.cursor_modal_set("NONE")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin."""
        from ..actions import walk_at_desk

        return attempt(self, lambda: walk_at_desk(context.scene))

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Keys act, the mouse looks."""
        from ..vr.desk.desk_walk import current

        desk = current()
        if desk is None:
            return {"FINISHED"}
        return {"RUNNING_MODAL"} if desk.take(event) else {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Its window is closed."""
        from ..vr.desk.desk_walk import finish

        finish()


class INNERWALK_OT_end_walk(InHall, bpy.types.Operator):
    """Leave the walk"""

    bl_idname = "innerwalk.end_walk"
    bl_label = "End Walk"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """End it."""
        from ..actions import end_walk

        return attempt(self, lambda: end_walk(context.scene))


class INNERWALK_OT_go_to_place(InHall, bpy.types.Operator):
    """Send who walks to a place of the tour"""

    bl_idname = "innerwalk.go_to_place"
    bl_label = "Go to Place"
    bl_options = {"REGISTER"}

    place: bpy.props.StringProperty(name="Place", description="Entrance, Input, a stage by its name, or Answer")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Send them."""
        from ..actions import go_to_place

        return attempt(self, lambda: go_to_place(context.scene, self.place))


class INNERWALK_OT_hand(bpy.types.Operator):
    """What a button of a controller does during a walk"""

    bl_idname = "innerwalk.hand"
    bl_label = "Hand"
    bl_options = {"INTERNAL"}

    act: bpy.props.StringProperty()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """The hand that pressed it acts."""
        from ..vr.headset.button_press import pressed

        pressed(self.act, event)
        return {"FINISHED"}


class INNERWALK_PT_walk(bpy.types.Panel):
    """Into the hall"""

    bl_label = "Walk"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"
    bl_order = 70
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall."""
        return HALL_VERSION in context.scene

    def draw(self, context: bpy.types.Context) -> None:
        """Start, with what the headset shows; or the places, while a walk goes on."""
        from ..vr.walk import current

        layout, goes_on = self.layout, current()
        if goes_on is None:
            row = layout.row(align=True)
            row.scale_y = 1.4
            start = row.operator("innerwalk.start_walk", icon="PLAY")
            start.shading, start.textures = context.scene.innerwalk.shading, texture_budget(context)
            row.operator("innerwalk.walk_at_desk", icon="VIEW_PERSPECTIVE", text="At the Desk")
            layout.prop(context.scene.innerwalk, "shading")
            return
        layout.operator("innerwalk.end_walk", icon="X")
        column = layout.column(align=True)
        for place in goes_on.places:
            column.operator("innerwalk.go_to_place", text=place.name).place = place.name


@persistent
def _end(*_: Any) -> None:
    """Another file, or the extension is taken away."""
    import sys

    if f"{__package__.rpartition('.')[0]}.vr.headset.headset_walk" in sys.modules:
        from ..vr.desk import desk_walk
        from ..vr.headset import headset_walk

        desk_walk.finish()
        headset_walk.close()


@persistent
def _unbake(*_: Any) -> None:
    """After undo, redo or opening a file: no hall stays as it is baked for a headset."""
    if any(HALL_VERSION in scene for scene in bpy.data.scenes):
        from ..vr.headset.headset_walk import undone

        undone()


CLASSES = (
    INNERWALK_OT_start_walk, INNERWALK_OT_walk_at_desk, INNERWALK_OT_end_walk, INNERWALK_OT_go_to_place,
    INNERWALK_OT_hand, INNERWALK_PT_walk,
)  # fmt: skip
HANDLERS = (
    (bpy.app.handlers.load_pre, _end), (bpy.app.handlers.undo_post, _unbake), (bpy.app.handlers.redo_post, _unbake),
    (bpy.app.handlers.load_post, _unbake),
)  # fmt: skip
CLOSING = (_end,)
