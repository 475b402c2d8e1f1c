"""The sidebar's panels of the selected layer and channel, and what can be done there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ...properties import (
    CHANNEL_NUMBER,
    HALL_VERSION,
    LOGARITHMIC_HISTOGRAMS,
    OVERLAY_CHANNEL,
    SELECTED_CHANNEL,
    SELECTED_LAYER,
)
from ..common import previews
from ..common.operators import attempt
from ..hall import ablation_operators
from . import inspector_state

if TYPE_CHECKING:
    from ...actions.inspecting import Inspected

SCALE, OF_BAR = 9.0, 5.0
"""Size of a picture, in heights of a line; a bar, which is low, would stand in much empty space."""


class INNERWALK_OT_step_channel(bpy.types.Operator):
    """Look at another channel of this layer; after the last comes the first"""

    bl_idname = "innerwalk.step_channel"
    bl_label = "Next or Previous Channel"
    bl_options = {"REGISTER", "UNDO"}

    by: bpy.props.IntProperty(name="By", description="So many channels further; negative: back", default=1)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where a layer is looked at."""
        cls.poll_message_set("Click a panel of a hall first")
        return bool(context.scene.get(SELECTED_LAYER))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Look there."""
        from ...actions import step_channel

        return attempt(self, lambda: step_channel(context.scene, self.by))


class INNERWALK_OT_overlay(bpy.types.Operator):
    """Lay this channel's map over the input picture; where the method's maps aren't about the input it can't be"""

    bl_idname = "innerwalk.overlay"
    bl_label = "Over the Input"
    bl_options = {"REGISTER", "UNDO"}

    layer: bpy.props.StringProperty(
        name="Layer", description="Whose map; empty takes it away", options={"SKIP_SAVE"}
    )  # fmt: skip
    channel: bpy.props.IntProperty(
        name="Channel", description="Which of its maps", default=-1, min=-1, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall."""
        cls.poll_message_set("This scene is no hall")
        return HALL_VERSION in context.scene

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Lay it there, or take away what lies there."""
        from ...actions import overlay

        return attempt(self, lambda: overlay(context.scene, self.layer, self.channel))


class INNERWALK_PT_layer(bpy.types.Panel):
    """The layer that is looked at"""

    bl_label, bl_category, bl_order = "Layer", "Innerwalk", 26
    bl_space_type, bl_region_type = "VIEW_3D", "UI"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall."""
        return HALL_VERSION in context.scene

    def draw(self, context: bpy.types.Context) -> None:
        """What is known; nothing is computed here."""
        scene, layout, shown = context.scene, self.layout, inspector_state.told(context.scene)
        layer = scene.get(SELECTED_LAYER, "")
        if not layer:
            layout.label(text="Click a panel to look at it", icon="RESTRICT_SELECT_OFF")
            return
        layout.label(text=layer, icon="RENDERLAYERS")
        if shown and shown.error:
            layout.label(text=shown.error, icon="ERROR")
        if shown and shown.layer:
            draw_facts(layout, shown.layer)
            for name in shown.layer.pictures:
                layout.label(text=f"Histogram of {name}")
                draw_picture(layout, scene, "layer", name, shown.layer)
            layout.prop(context.window_manager, LOGARITHMIC_HISTOGRAMS)
        layout.operator("innerwalk.export_layer", icon="EXPORT")


class INNERWALK_PT_channel(bpy.types.Panel):
    """The channel that is looked at"""

    bl_label, bl_category, bl_order = "Channel", "Innerwalk", 25
    bl_space_type, bl_region_type = "VIEW_3D", "UI"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where a layer is looked at."""
        return bool(HALL_VERSION in context.scene and context.scene.get(SELECTED_LAYER))

    def draw(self, context: bpy.types.Context) -> None:
        """What is known; nothing is computed here."""
        scene, layout, shown = context.scene, self.layout, inspector_state.told(context.scene)
        row = layout.row(align=True)
        row.operator("innerwalk.step_channel", text="", icon="TRIA_LEFT").by = -1
        if scene.get(SELECTED_CHANNEL, -1) >= 0:
            row.prop(scene, CHANNEL_NUMBER)
        else:
            row.operator("innerwalk.step_channel", text="First Channel").by = 1
        row.operator("innerwalk.step_channel", text="", icon="TRIA_RIGHT").by = 1
        self._overlay(scene)
        if shown and shown.channel:
            for name in shown.channel.pictures:
                draw_picture(layout, scene, "channel", name, shown.channel)
            draw_facts(layout, shown.channel)
        ablation_operators.draw(layout, scene)
        layout.operator("innerwalk.probe", icon="EYEDROPPER")
        where, _, value = inspector_state.state.pointed.rpartition(" · ")
        for words in filter(None, (where, value)):
            layout.label(text=words)

    def _overlay(self, scene: bpy.types.Scene) -> None:
        """Over the input, what is there may be taken away, and what is looked at laid there if it is about it."""
        layer, channel = scene.get(SELECTED_LAYER, ""), scene.get(SELECTED_CHANNEL, -1)
        laid = list(scene.get(OVERLAY_CHANNEL, ()))
        if channel >= 0 and laid != [layer, str(channel)] and inspector_state.lies_over_input(scene, layer):
            button = self.layout.operator("innerwalk.overlay", icon="OVERLAY")
            button.layer, button.channel = layer, channel
        if laid:
            self.layout.operator("innerwalk.overlay", text="Bare Input", icon="X")


def draw_facts(layout: bpy.types.UILayout, found: Inspected) -> None:
    """Lines of what and value."""
    column = layout.column(align=True)
    for what, value in found.facts:
        line = column.split(factor=0.4)
        name = line.row()
        name.active = False
        name.label(text=what)
        line.label(text=value)


def draw_picture(layout: bpy.types.UILayout, scene: bpy.types.Scene, what: str, name: str, found: Inspected) -> None:
    """A picture with what its ends stand for."""
    column = layout.column(align=True)
    column.template_icon(
        previews.icon(inspector_state.picture_name(scene.session_uid, f"{what} {name}")),
        scale=OF_BAR if name == "bar" else SCALE,
    )
    if name in found.ends:
        row = column.row()
        for text, side in zip(found.ends[name], ("LEFT", "RIGHT"), strict=True):
            part = row.row()
            part.alignment = side
            part.label(text=text)


CLASSES = (INNERWALK_OT_step_channel, INNERWALK_OT_overlay, INNERWALK_PT_layer, INNERWALK_PT_channel)
