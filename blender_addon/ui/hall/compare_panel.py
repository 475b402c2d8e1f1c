"""The sidebar's Compare panel: another hall beside this one, and the difference between the two."""

from __future__ import annotations

from typing import Any

import bpy

from ...properties import HALL_VERSION
from ..bridge.input_panel import FILE_EXTENSIONS
from ..common.operators import ActionOperator, NeedsBridge, NeedsHall, NeedsNetwork, session
from ..common.panels import SidebarPanel
from ..common.paths import entered_path
from ..common.text_lines import draw_fact_lines
from ..common.translating import translated


class INNERWALK_OT_stand_beside(NeedsHall, ActionOperator):
    """Show another hall of this file beside this one; each keeps its own colours"""

    bl_idname = "innerwalk.stand_beside"
    bl_label = "Show Beside"

    other: bpy.props.StringProperty(name="Other Hall", description="Name of its scene")
    share: bpy.props.BoolProperty(name="Share Inputs", description="Run the inputs of this hall in the other one too")


class INNERWALK_OT_stand_alone(NeedsHall, ActionOperator):
    """Remove the hall beside this one; its own scene stays as it is"""

    bl_idname = "innerwalk.stand_alone"
    bl_label = "Remove Other Hall"


class INNERWALK_OT_show_difference(NeedsHall, ActionOperator):
    """Show this hall's values minus the other hall's on the panels"""

    bl_idname = "innerwalk.show_difference"
    bl_label = "Show Difference"

    other: bpy.props.StringProperty(name="Other Hall", description="Name of its scene")


class INNERWALK_OT_show_activations(NeedsHall, ActionOperator):
    """Show the activations for the last input again"""

    bl_idname = "innerwalk.show_activations"
    bl_label = "Show Activations"


class INNERWALK_OT_compare_input(NeedsNetwork, ActionOperator):
    """Build this network's hall for another input, and show it beside this one"""

    bl_idname = "innerwalk.compare_input"
    bl_label = "Compare Another Input"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="File", description="A picture, an array, a sound or a scan", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(
        default="*" + FILE_EXTENSIONS.replace(";", ";*"), options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the file unless it is set."""
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute."""
        return {"filepath": entered_path(self.filepath)}


class INNERWALK_OT_compare_network(NeedsHall, NeedsBridge, ActionOperator):
    """Build the hall of another network for this hall's input, and show it beside this one"""

    bl_idname = "innerwalk.compare_network"
    bl_label = "Compare Another Network"
    bl_options = {"REGISTER"}

    network: bpy.props.StringProperty(name="Network", description="Name of the network on the bridge")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the scene is a hall and a bridge is ready."""
        return NeedsHall.poll.__func__(cls, context) and NeedsBridge.poll.__func__(cls, context)


class INNERWALK_MT_networks(bpy.types.Menu):
    """Networks of the bridge, to compare with"""

    bl_label = "Compare Another Network"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws one entry for each network; without a bridge, one that says why it is grey."""
        link = session().link
        networks = link.description.get("networks", []) if link else []
        for network in networks:
            text = translated("Compare {name}", name=network["name"])
            button = self.layout.operator("innerwalk.compare_network", text=text, translate=False)
            button.network = network["name"]
        if not networks:
            self.layout.operator("innerwalk.compare_network")


class INNERWALK_OT_choose_other(NeedsHall, bpy.types.Operator):
    """Choose the hall to compare with"""

    bl_idname = "innerwalk.choose_other"
    bl_label = "Other Hall"
    bl_options = {"INTERNAL"}

    other: bpy.props.StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stores the choice in the scene."""
        context.scene.innerwalk.other = self.other
        return {"FINISHED"}


class INNERWALK_MT_halls(bpy.types.Menu):
    """The other halls of this file"""

    bl_label = "Other Hall"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws one entry for each hall."""
        for scene in bpy.data.scenes:
            if HALL_VERSION in scene and scene != context.scene:
                self.layout.operator("innerwalk.choose_other", text=scene.name).other = scene.name


class INNERWALK_PT_compare(SidebarPanel, bpy.types.Panel):
    """Comparison of two halls"""

    bl_label = "Compare"
    bl_order = 60
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the scene is a hall, and the file has another one."""
        return HALL_VERSION in context.scene and sum(HALL_VERSION in scene for scene in bpy.data.scenes) > 1

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the choice of the other hall, and the buttons."""
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
        _draw_beside(layout, context.scene)


def _draw_beside(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draws what the halls beside this one predict, and what their channel of the selected place detects."""
    from ....torch_bridge.recording.errors import InnerwalkError
    from ...actions.comparing import beside_facts

    try:
        draw_fact_lines(layout, beside_facts(scene))
    except InnerwalkError as error:
        layout.label(text=str(error), icon="ERROR")


CLASSES = (
    INNERWALK_OT_stand_beside,
    INNERWALK_OT_stand_alone,
    INNERWALK_OT_show_difference,
    INNERWALK_OT_show_activations,
    INNERWALK_OT_compare_input,
    INNERWALK_OT_compare_network,
    INNERWALK_MT_networks,
    INNERWALK_OT_choose_other,
    INNERWALK_MT_halls,
    INNERWALK_PT_compare,
)
