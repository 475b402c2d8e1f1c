"""The sidebar's Layer and Channel panels: facts, histograms and maps of the selection, and its operators."""

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
from ..common.operators import ActionOperator, NeedsHall, NeedsSelectedLayer
from ..common.panels import HallPanel, SidebarPanel
from ..common.text_lines import draw_fact_lines
from ..common.translating import translated
from ..hall.ablation_operators import draw_ablation
from ..hall.brush_operators import draw_brush
from ..hall.vote_operators import draw_votes
from . import inspector_state
from .position_field import draw_position

if TYPE_CHECKING:
    from ...actions.inspecting import Inspection

PICTURE_SCALE, BAR_SCALE = 9.0, 5.0
"""Sizes of a picture and of a bar, in heights of a line; bars are low, and would stand in much empty space."""


class INNERWALK_OT_step_channel(NeedsSelectedLayer, ActionOperator):
    """Select another channel of this layer; after the last channel comes the first"""

    bl_idname = "innerwalk.step_channel"
    bl_label = "Next or Previous Channel"

    by: bpy.props.IntProperty(name="By", description="Number of channels; negative to go back", default=1)


class INNERWALK_OT_overlay(NeedsHall, ActionOperator):
    """Lay this channel's map over the input picture, if the method's maps refer to the input"""

    bl_idname = "innerwalk.overlay"
    bl_label = "Over the Input"

    layer: bpy.props.StringProperty(
        name="Layer", description="Layer of the map; empty to remove the overlay", options={"SKIP_SAVE"}
    )
    channel: bpy.props.IntProperty(
        name="Channel", description="Number of the channel", default=-1, min=-1, options={"SKIP_SAVE"}
    )


class INNERWALK_PT_layer(HallPanel, bpy.types.Panel):
    """The selected layer"""

    bl_label = "Layer"
    bl_order = 27

    def draw(self, context: bpy.types.Context) -> None:
        """Draws what was computed; computes nothing."""
        scene, layout, inspected = context.scene, self.layout, inspector_state.inspected_state(context.scene)
        layer = scene.get(SELECTED_LAYER, "")
        if not layer:
            layout.label(text="Click a panel to select it", icon="RESTRICT_SELECT_OFF")
            return
        layout.label(text=layer, translate=False, icon="RENDERLAYERS")
        draw_position(layout, scene)
        if inspected and inspected.error:
            layout.label(text=inspected.error, icon="ERROR")
        if inspected and inspected.layer:
            draw_fact_lines(layout, inspected.layer.facts)
            for name in inspected.layer.pictures:
                layout.label(text=translated("Histogram of {name}", name=name))
                draw_picture(layout, scene, "layer", name, inspected.layer)
            layout.prop(context.window_manager, LOGARITHMIC_HISTOGRAMS)
        layout.operator("innerwalk.export_layer", icon="EXPORT")


class INNERWALK_PT_channel(SidebarPanel, bpy.types.Panel):
    """The selected channel"""

    bl_label = "Channel"
    bl_order = 25

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a layer of a hall is selected."""
        return bool(HALL_VERSION in context.scene and context.scene.get(SELECTED_LAYER))

    def draw(self, context: bpy.types.Context) -> None:
        """Draws what was computed; computes nothing."""
        scene, layout, inspected = context.scene, self.layout, inspector_state.inspected_state(context.scene)
        self._draw_number(scene)
        self._draw_overlay(scene)
        if inspected and inspected.channel:
            for name in inspected.channel.pictures:
                draw_picture(layout, scene, "channel", name, inspected.channel)
            draw_fact_lines(layout, inspected.channel.facts)
        draw_ablation(layout, scene)
        draw_brush(layout, scene)
        draw_votes(layout, scene)
        layout.operator("innerwalk.probe", icon="EYEDROPPER")
        for text in filter(None, inspector_state.state.cursor_value.split(" · ")):
            layout.label(text=text, translate=False)

    def _draw_number(self, scene: bpy.types.Scene) -> None:
        """Draws the number of the channel, or of the map where a method's maps are about the whole layer."""
        from ...scene.panels import channel_count, find_panel, shows_channels

        row, panel = self.layout.row(align=True), find_panel(scene, scene.get(SELECTED_LAYER, ""))
        is_channel = panel is None or shows_channels(panel)
        if panel is not None and not is_channel and channel_count(panel) == 1:
            row.label(text="One map of the layer")
            if scene.get(SELECTED_CHANNEL, -1) < 0:
                row.operator("innerwalk.step_channel", text="Select").by = 1
            return
        row.operator("innerwalk.step_channel", text="", icon="TRIA_LEFT").by = -1
        if scene.get(SELECTED_CHANNEL, -1) >= 0:
            row.prop(
                scene, CHANNEL_NUMBER, text=translated("Channel") if is_channel else translated("Map"), translate=False
            )
        else:
            row.operator("innerwalk.step_channel", text="First Channel" if is_channel else "First Map").by = 1
        row.operator("innerwalk.step_channel", text="", icon="TRIA_RIGHT").by = 1

    def _draw_overlay(self, scene: bpy.types.Scene) -> None:
        """Draws a button to lay the selected map over the input if it can be, and one to remove the overlay."""
        layer, channel = scene.get(SELECTED_LAYER, ""), scene.get(SELECTED_CHANNEL, -1)
        overlay = list(scene.get(OVERLAY_CHANNEL, ())) if inspector_state.is_overlay_shown(scene) else []
        if channel >= 0 and overlay != [layer, str(channel)] and inspector_state.can_overlay(scene, layer):
            button = self.layout.operator("innerwalk.overlay", icon="OVERLAY")
            button.layer, button.channel = layer, channel
        if overlay:
            self.layout.operator("innerwalk.overlay", text="Remove Overlay", icon="X")


def draw_picture(
    layout: bpy.types.UILayout, scene: bpy.types.Scene, owner: str, name: str, inspection: Inspection
) -> None:
    """Draws a picture of a "layer" or "channel", and the values at the ends of its scale."""
    column = layout.column(align=True)
    column.template_icon(
        previews.icon_id(inspector_state.preview_name(scene.session_uid, f"{owner} {name}")),
        scale=BAR_SCALE if name == "bar" else PICTURE_SCALE,
    )
    if name in inspection.ends:
        row = column.row()
        for text, side in zip(inspection.ends[name], ("LEFT", "RIGHT"), strict=True):
            part = row.row()
            part.alignment = side
            part.label(text=text)


CLASSES = (INNERWALK_OT_step_channel, INNERWALK_OT_overlay, INNERWALK_PT_layer, INNERWALK_PT_channel)
