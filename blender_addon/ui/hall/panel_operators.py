"""Operators that arrange the panels of a hall."""

from __future__ import annotations

import bpy

from ...properties import (HALL_VERSION, OBJECT_ROLE, PANEL_LAYER_ID, PANEL_ORDER, PANEL_ROLE)
from ..common.operators import attempt


class InHall:
    """What operators of a hall share."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall."""
        cls.poll_message_set("This scene is no hall; import a recording first")
        return HALL_VERSION in context.scene


class OnLayer(InHall):
    """The same for one layer."""

    layer: bpy.props.StringProperty(name="Layer", description="Id of the layer; empty: the selected one")

    def chosen(self, context: bpy.types.Context) -> str:
        """The layer that is meant. Raises SceneError."""
        from ....torch_bridge.recording.errors import SceneError
        from ...actions import selected

        layer = self.layer or selected(context.scene).layer
        if not layer:
            raise SceneError("no layer is selected; click a panel first")
        return layer


class INNERWALK_OT_move(OnLayer, bpy.types.Operator):
    """Move a panel"""

    bl_idname = "innerwalk.move"
    bl_label = "Move Panel"
    bl_options = {"REGISTER", "UNDO"}

    by: bpy.props.FloatVectorProperty(name="By", description="Metres in the world", subtype="TRANSLATION")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move it."""
        from ...actions import move

        return attempt(self, lambda: move(context.scene, self.chosen(context), self.by))


class INNERWALK_OT_scale(OnLayer, bpy.types.Operator):
    """Make a panel larger or smaller; its lower edge stays where it is"""

    bl_idname = "innerwalk.scale"
    bl_label = "Scale Panel"
    bl_options = {"REGISTER", "UNDO"}

    factor: bpy.props.FloatProperty(name="Factor", description="So many times as large", default=1.0, soft_min=0.1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Scale it."""
        from ...actions import scale

        return attempt(self, lambda: scale(context.scene, self.chosen(context), self.factor))


class INNERWALK_OT_hide(OnLayer, bpy.types.Operator):
    """Hide a panel in the view and in pictures, or show it again"""

    bl_idname = "innerwalk.hide"
    bl_label = "Hide Panel"
    bl_options = {"REGISTER", "UNDO"}

    hidden: bpy.props.BoolProperty(name="Hidden", description="Off: show it again", default=True)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Hide it."""
        from ...actions import hide

        return attempt(self, lambda: hide(context.scene, self.chosen(context), self.hidden))


class INNERWALK_OT_solo(InHall, bpy.types.Operator):
    """Show one panel alone, or all again"""

    bl_idname = "innerwalk.solo"
    bl_label = "Solo Panel"
    bl_options = {"REGISTER", "UNDO"}

    layer: bpy.props.StringProperty(name="Layer", description="Id of the layer; empty: show all", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Where no layer was said: the selected one, or all where one is alone."""
        from ...actions import selected
        from ...scene.hall.visibility import alone

        if not self.properties.is_property_set("layer") and not alone(context.scene):
            self.layer = selected(context.scene).layer
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show it alone."""
        from ...actions import solo

        return attempt(self, lambda: solo(context.scene, self.layer))


class INNERWALK_OT_jump(OnLayer, bpy.types.Operator):
    """Stand where a panel is read best"""

    bl_idname = "innerwalk.jump"
    bl_label = "Jump to Panel"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Go there."""
        from ...actions import jump

        return attempt(self, lambda: jump(context.scene, self.chosen(context)))


class INNERWALK_OT_enter(InHall, bpy.types.Operator):
    """Stand at the hall's entrance, and see its colours"""

    bl_idname = "innerwalk.enter"
    bl_label = "Go to Entrance"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Go there."""
        from ...actions import enter

        return attempt(self, lambda: enter(context.scene))


WAYS = (
    ("height", "Same Height", "All lower edges as high as the first one's"),
    ("parallel", "Parallel", "All turned as the first one"),
    ("row", "In a Row", "One beside the other, to the right of the first"),
)


class INNERWALK_OT_align(InHall, bpy.types.Operator):
    """Align panels with the active one"""

    bl_idname = "innerwalk.align"
    bl_label = "Align Panels"
    bl_options = {"REGISTER", "UNDO"}

    layers: bpy.props.StringProperty(
        name="Layers", description="Ids with commas between them; empty: the selected panels", options={"SKIP_SAVE"}
    )
    how: bpy.props.EnumProperty(name="How", description="What is made equal", items=WAYS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Align them."""
        from ...actions import align

        layers = split(self.layers) or chosen_panels(context)
        return attempt(self, lambda: align(context.scene, layers, self.how))


class INNERWALK_OT_reset_layout(InHall, bpy.types.Operator):
    """Hang panels back at their planned places"""

    bl_idname = "innerwalk.reset_layout"
    bl_label = "Reset Layout"
    bl_options = {"REGISTER", "UNDO"}

    layers: bpy.props.StringProperty(
        name="Layers", description="Ids with commas between them; empty: all", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Hang them back."""
        from ...actions import reset_layout

        return attempt(self, lambda: reset_layout(context.scene, split(self.layers)))


def split(layers: str) -> list[str]:
    """Ids with commas between them."""
    return [one.strip() for one in layers.split(",") if one.strip()]


def chosen_panels(context: bpy.types.Context) -> list[str]:
    """Ids of the selected panels, the active one first, then in the order of the network."""
    chosen = [one for one in context.selected_objects if one.get(OBJECT_ROLE) == PANEL_ROLE]
    chosen.sort(key=lambda one: (one != context.active_object, one.get(PANEL_ORDER, 0)))
    return [one[PANEL_LAYER_ID] for one in chosen]


CLASSES = (
    INNERWALK_OT_move, INNERWALK_OT_scale, INNERWALK_OT_hide, INNERWALK_OT_solo, INNERWALK_OT_jump, INNERWALK_OT_enter,
    INNERWALK_OT_align, INNERWALK_OT_reset_layout,
)  # fmt: skip
