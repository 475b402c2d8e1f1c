"""Operators that move, hide, align and visit the panels of a hall."""

from __future__ import annotations

from typing import Any

import bpy

from ...properties import OBJECT_ROLE, PANEL_LAYER_ID, PANEL_ORDER, PANEL_ROLE
from ..common.operators import ActionOperator, LayerOperator, NeedsHall


class INNERWALK_OT_move(LayerOperator):
    """Move a panel"""

    bl_idname = "innerwalk.move"
    bl_label = "Move Panel"

    by: bpy.props.FloatVectorProperty(name="By", description="Metres in world space", subtype="TRANSLATION")


class INNERWALK_OT_scale(LayerOperator):
    """Make a panel larger or smaller; its lower edge stays where it is"""

    bl_idname = "innerwalk.scale"
    bl_label = "Scale Panel"

    factor: bpy.props.FloatProperty(name="Factor", description="1 keeps the size", default=1.0, soft_min=0.1)


class INNERWALK_OT_hide(LayerOperator):
    """Hide a panel in the viewport and in renders, or show it again"""

    bl_idname = "innerwalk.hide"
    bl_label = "Hide Panel"

    hidden: bpy.props.BoolProperty(name="Hidden", description="Turn off to show the panel again", default=True)


class INNERWALK_OT_solo(NeedsHall, ActionOperator):
    """Show only one panel, or all panels again"""

    bl_idname = "innerwalk.solo"
    bl_label = "Solo Panel"

    layer: bpy.props.StringProperty(
        name="Layer", description="Id of the layer; empty to show all panels", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Takes the selected layer, or shows all panels if only one is shown."""
        from ...actions import selected
        from ...scene.hall.visibility import solo_layer

        if not self.properties.is_property_set("layer") and not solo_layer(context.scene):
            self.layer = selected(context.scene).layer
        return self.execute(context)


class INNERWALK_OT_jump(LayerOperator):
    """Move the view to where a panel is best read from"""

    bl_idname = "innerwalk.jump"
    bl_label = "Jump to Panel"


class INNERWALK_OT_enter(NeedsHall, ActionOperator):
    """Move the view to the hall's entrance, and show the hall's colours"""

    bl_idname = "innerwalk.enter"
    bl_label = "Go to Entrance"


ALIGNMENTS = (
    ("height", "Same Height", "Put all lower edges at the height of the first panel's"),
    ("parallel", "Parallel", "Turn all panels like the first one"),
    ("row", "In a Row", "Put the panels side by side, to the right of the first one"),
)


class INNERWALK_OT_align(NeedsHall, ActionOperator):
    """Align panels with the active one"""

    bl_idname = "innerwalk.align"
    bl_label = "Align Panels"

    layers: bpy.props.StringProperty(
        name="Layers", description="Ids separated by commas; empty for the selected panels", options={"SKIP_SAVE"}
    )
    how: bpy.props.EnumProperty(name="How", description="What to make equal", items=ALIGNMENTS)

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Splits the ids, or takes the selected panels."""
        return {"layers": split_ids(self.layers) or selected_panels(context), "how": self.how}


class INNERWALK_OT_reset_layout(NeedsHall, ActionOperator):
    """Move panels back to the places that the layout gave them"""

    bl_idname = "innerwalk.reset_layout"
    bl_label = "Reset Layout"

    layers: bpy.props.StringProperty(
        name="Layers", description="Ids separated by commas; empty for all panels", options={"SKIP_SAVE"}
    )

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Splits the ids."""
        return {"layers": split_ids(self.layers)}


def split_ids(text: str) -> list[str]:
    """Splits ids of layers at commas."""
    return [id.strip() for id in text.split(",") if id.strip()]


def selected_panels(context: bpy.types.Context) -> list[str]:
    """Returns the layer ids of the selected panels: the active one first, then in the network's order."""
    panels = [item for item in context.selected_objects if item.get(OBJECT_ROLE) == PANEL_ROLE]
    panels.sort(key=lambda panel: (panel != context.active_object, panel.get(PANEL_ORDER, 0)))
    return [panel[PANEL_LAYER_ID] for panel in panels]


CLASSES = (
    INNERWALK_OT_move,
    INNERWALK_OT_scale,
    INNERWALK_OT_hide,
    INNERWALK_OT_solo,
    INNERWALK_OT_jump,
    INNERWALK_OT_enter,
    INNERWALK_OT_align,
    INNERWALK_OT_reset_layout,
)
