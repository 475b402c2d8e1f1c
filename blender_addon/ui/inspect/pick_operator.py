"""A click in the 3D view: a tile, the input, a picture of the shelf, or empty ground. Everything else is Blender's."""

from __future__ import annotations

import bpy
from bpy_extras import view3d_utils

from ...properties import HALL_VERSION
from ..common.operators import attempt


class INNERWALK_OT_pick(bpy.types.Operator):
    """Look at the tile under the cursor, or at nothing where the ground is empty"""

    bl_idname = "innerwalk.pick"
    bl_label = "Pick in the Hall"
    bl_options = {"REGISTER", "UNDO"}

    origin: bpy.props.FloatVectorProperty(
        name="Origin", description="Where the ray begins, in the world", subtype="TRANSLATION", options={"SKIP_SAVE"}
    )
    direction: bpy.props.FloatVectorProperty(
        name="Direction", description="Where it goes, in the world", default=(0, 1, 0), options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall, and not while something is edited or sculpted."""
        cls.poll_message_set("Open a hall in object mode first")
        return HALL_VERSION in context.scene and context.mode == "OBJECT"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take the ray under the cursor; the click goes on to Blender where nothing of the hall is hit."""
        from ...actions.pointing import means
        from ...scene.hall.pick import pick_at

        region, data = context.region, context.region_data
        if region is None or region.type != "WINDOW" or data is None:
            return {"PASS_THROUGH"}
        at = event.mouse_region_x, event.mouse_region_y
        hit = pick_at(context, *at)
        if hit is None or not means(context.scene, hit):
            return {"PASS_THROUGH"}
        self.origin = view3d_utils.region_2d_to_origin_3d(region, data, at)
        self.direction = view3d_utils.region_2d_to_vector_3d(region, data, at)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do what pointing there means."""
        from ...actions import pick

        return attempt(self, lambda: pick(context.scene, self.origin, self.direction) or "nothing of the hall is there")


CLASSES = (INNERWALK_OT_pick,)
KEYS = (("Object Mode", "EMPTY", INNERWALK_OT_pick.bl_idname, "LEFTMOUSE", "CLICK"),)
"""A plain click and no press, so that a drag is still Blender's: boxes, gizmos, the tools of the toolbar."""
