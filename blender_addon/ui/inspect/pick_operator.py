"""Operator of a click in the 3D view: on a tile, the input, a picture of the shelf, or the empty floor."""

from __future__ import annotations

import bpy
from bpy_extras import view3d_utils

from ...properties import HALL_VERSION, SELECTED_CHANNEL, SELECTED_LAYER
from ..common.operators import ActionOperator, attempt


class INNERWALK_OT_pick(ActionOperator):
    """Select the tile under the cursor, or clear the selection on the empty floor"""

    bl_idname = "innerwalk.pick"
    bl_label = "Pick in the Hall"

    origin: bpy.props.FloatVectorProperty(
        name="Origin", description="Start of the ray in world space", subtype="TRANSLATION", options={"SKIP_SAVE"}
    )
    direction: bpy.props.FloatVectorProperty(
        name="Direction", description="Direction of the ray in world space", default=(0, 1, 0), options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the scene is a hall in object mode."""
        cls.poll_message_set("Open a hall in Object Mode first")
        return HALL_VERSION in context.scene and context.mode == "OBJECT"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Takes the ray under the cursor; passes the click on to Blender if it has no effect in the hall."""
        from ...actions.clicking import has_effect
        from ...scene.hall.ray_hits import pick_at

        region, view = context.region, context.region_data
        if region is None or region.type != "WINDOW" or view is None:
            return {"PASS_THROUGH"}
        cursor = event.mouse_region_x, event.mouse_region_y
        hit = pick_at(context, *cursor)
        if hit is None or not has_effect(context.scene, hit):
            return {"PASS_THROUGH"}
        self.origin = view3d_utils.region_2d_to_origin_3d(region, view, cursor)
        self.direction = view3d_utils.region_2d_to_vector_3d(region, view, cursor)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Does what a click there does, and says so if that is nothing."""
        from ...actions import pick

        return attempt(self, lambda: pick(context.scene, self.origin, self.direction) or "nothing of the hall is there")

    def draw(self, context: bpy.types.Context) -> None:
        """Draws in the redo panel what was clicked, instead of the ray."""
        layer, channel = context.scene.get(SELECTED_LAYER, ""), context.scene.get(SELECTED_CHANNEL, -1)
        facts = [("Layer", layer or "none"), *([("Channel", str(channel))] if channel >= 0 else ())]
        for name, text in facts:
            row = self.layout.split(factor=0.3)
            row.label(text=name)
            row.label(text=text)


class INNERWALK_OT_point_menu(bpy.types.Operator):
    """Select the tile under the cursor before Blender's menu opens, which then is about it"""

    bl_idname = "innerwalk.point_menu"
    bl_label = "Select for the Menu"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the scene is a hall in object mode."""
        return HALL_VERSION in context.scene and context.mode == "OBJECT"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Selects a panel's tile, and passes the click on."""
        from ...actions import select
        from ...scene.hall.ray_hits import pick_at

        region, view = context.region, context.region_data
        if region is not None and region.type == "WINDOW" and view is not None:
            hit = pick_at(context, event.mouse_region_x, event.mouse_region_y)
            if hit is not None and hit.role == "panel" and hit.object in context.scene.objects:
                select(context.scene, hit.layer, hit.channel)
        return {"PASS_THROUGH"}


CLASSES = (INNERWALK_OT_pick, INNERWALK_OT_point_menu)
KEYS = (
    ("Object Mode", "EMPTY", INNERWALK_OT_pick.bl_idname, "LEFTMOUSE", "CLICK"),
    ("Object Mode", "EMPTY", INNERWALK_OT_point_menu.bl_idname, "RIGHTMOUSE", "PRESS"),
)
"""A click, not a press: drags keep Blender's meaning, such as box selection, gizmos and tools."""
