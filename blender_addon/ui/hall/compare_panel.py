"""The sidebar's comparison: another hall beside this one, and the difference of the two."""

from __future__ import annotations

import bpy

from ...properties import HALL_VERSION
from ..common.operators import attempt
from .panel_operators import InHall


class INNERWALK_OT_stand_beside(InHall, bpy.types.Operator):
    """Stand another hall of this file beside this one, in this one's colours"""

    bl_idname = "innerwalk.stand_beside"
    bl_label = "Stand Beside"
    bl_options = {"REGISTER", "UNDO"}

    other: bpy.props.StringProperty(name="Other Hall", description="The name of its scene")
    share: bpy.props.BoolProperty(name="Share Inputs", description="What is placed here is placed there too")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stand it there."""
        from ...actions import stand_beside

        return attempt(self, lambda: stand_beside(context.scene, self.other, self.share))


class INNERWALK_OT_stand_alone(InHall, bpy.types.Operator):
    """Take the hall beside this one away; its own scene stays as it is"""

    bl_idname = "innerwalk.stand_alone"
    bl_label = "Stand Alone"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it away."""
        from ...actions import stand_alone

        return attempt(self, lambda: stand_alone(context.scene))


class INNERWALK_OT_show_difference(InHall, bpy.types.Operator):
    """Show on the panels what this hall shows minus what the other shows"""

    bl_idname = "innerwalk.show_difference"
    bl_label = "Show Difference"
    bl_options = {"REGISTER", "UNDO"}

    other: bpy.props.StringProperty(name="Other Hall", description="The name of its scene")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Subtract."""
        from ...actions import show_difference

        return attempt(self, lambda: show_difference(context.scene, self.other))


class INNERWALK_OT_show_activations(InHall, bpy.types.Operator):
    """Show again what the layers said to the last input"""

    bl_idname = "innerwalk.show_activations"
    bl_label = "Show Activations"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show them."""
        from ...actions import show_activations

        return attempt(self, lambda: show_activations(context.scene))


class INNERWALK_OT_choose_other(InHall, bpy.types.Operator):
    """Choose the hall to compare with"""

    bl_idname = "innerwalk.choose_other"
    bl_label = "Other Hall"
    bl_options = {"INTERNAL"}

    other: bpy.props.StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Choose it."""
        context.scene.innerwalk.other = self.other
        return {"FINISHED"}


class INNERWALK_MT_halls(bpy.types.Menu):
    """The other halls of this file"""

    bl_label = "Other Hall"

    def draw(self, context: bpy.types.Context) -> None:
        """One entry each."""
        for scene in bpy.data.scenes:
            if HALL_VERSION in scene and scene != context.scene:
                self.layout.operator("innerwalk.choose_other", text=scene.name).other = scene.name


class INNERWALK_PT_compare(bpy.types.Panel):
    """Two halls"""

    bl_label = "Compare"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"
    bl_order = 60
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall that isn't the only one."""
        return HALL_VERSION in context.scene and sum(HALL_VERSION in one for one in bpy.data.scenes) > 1

    def draw(self, context: bpy.types.Context) -> None:
        """The other hall, and what can be done with it."""
        form, layout = context.scene.innerwalk, self.layout
        layout.menu("INNERWALK_MT_halls", text=form.other or "Other Hall", icon="SCENE_DATA")
        column = layout.column(align=True)
        column.enabled = bool(form.other)
        column.prop(form, "share")
        beside = column.operator("innerwalk.stand_beside", icon="MOD_ARRAY")
        beside.other, beside.share = form.other, form.share
        column.operator("innerwalk.show_difference", icon="SELECT_DIFFERENCE").other = form.other
        row = layout.row(align=True)
        row.operator("innerwalk.stand_alone")
        row.operator("innerwalk.show_activations")


CLASSES = (
    INNERWALK_OT_stand_beside, INNERWALK_OT_stand_alone, INNERWALK_OT_show_difference, INNERWALK_OT_show_activations,
    INNERWALK_OT_choose_other, INNERWALK_MT_halls, INNERWALK_PT_compare,
)  # fmt: skip
