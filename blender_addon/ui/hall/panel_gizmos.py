"""Gizmos of the active panel: move it along and across the aisle, turn it, scale it.

They start Blender's own transforms, so that undo, Esc, typed numbers and snapping work as everywhere.
"""

from __future__ import annotations

import math

import bpy
from mathutils import Matrix, Vector

from ...properties import HALL_VERSION, OBJECT_ROLE, PANEL_ROLE

RED, GREEN, BLUE, WHITE = (0.95, 0.3, 0.35), (0.5, 0.85, 0.2), (0.3, 0.6, 0.95), (0.9, 0.9, 0.9)
DISTANCE = 0.25
"""Metres from the panel's foot to the gizmos, towards the reader."""


class INNERWALK_GGT_panel(bpy.types.GizmoGroup):
    """Gizmos of the active panel of a hall"""

    bl_label = "Innerwalk Panel"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_options = {"3D", "PERSISTENT", "SHOW_MODAL_ALL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a panel of a hall is active, selected and visible in object mode."""
        panel = context.active_object
        is_panel = panel is not None and panel.get(OBJECT_ROLE) == PANEL_ROLE and HALL_VERSION in context.scene
        return is_panel and context.mode == "OBJECT" and panel.select_get() and panel.visible_get()

    def setup(self, context: bpy.types.Context) -> None:
        """Makes the four gizmos."""
        self.across, self.along = (self._new_arrow(axis, colour) for axis, colour in ((0, RED), (1, GREEN)))
        self.turn = self._new_gizmo("GIZMO_GT_dial_3d", BLUE)
        self.turn.draw_options, self.turn.scale_basis = {"ANGLE_START_Y"}, 0.4
        self.rotation = self.turn.target_set_operator("transform.rotate")
        self.rotation.orient_axis, self.rotation.orient_type = "Z", "GLOBAL"
        self.rotation.constraint_axis = (False, False, True)
        self.size = self._new_gizmo("GIZMO_GT_arrow_3d", WHITE)
        self.size.draw_style, self.size.length = "BOX", 0.7
        self.resizing = self.size.target_set_operator("transform.resize")
        self.rotation.release_confirm = self.resizing.release_confirm = True

    def draw_prepare(self, context: bpy.types.Context) -> None:
        """Moves the gizmos to the panel."""
        from ...scene.panels import size_of

        panel = context.active_object
        world = panel.matrix_world
        foot = world @ Vector((size_of(panel)[0] / 2, 0.0, 0.0))
        place = Matrix.Translation(foot + world.to_quaternion() @ Vector((0.0, 0.0, DISTANCE)))
        self.across.matrix_basis = place @ Matrix.Rotation(math.pi / 2, 4, "Y")
        self.along.matrix_basis = place @ Matrix.Rotation(-math.pi / 2, 4, "X")
        self.turn.matrix_basis = self.size.matrix_basis = place
        self.rotation.center_override = self.resizing.center_override = foot

    def _new_arrow(self, axis: int, colour: tuple[float, float, float]) -> bpy.types.Gizmo:
        gizmo = self._new_gizmo("GIZMO_GT_arrow_3d", colour)
        translation = gizmo.target_set_operator("transform.translate")
        translation.constraint_axis = tuple(index == axis for index in range(3))
        translation.orient_type, translation.release_confirm = "GLOBAL", True
        return gizmo

    def _new_gizmo(self, kind: str, colour: tuple[float, float, float]) -> bpy.types.Gizmo:
        gizmo = self.gizmos.new(kind)
        gizmo.color, gizmo.alpha, gizmo.color_highlight, gizmo.alpha_highlight = colour, 0.8, (1.0, 1.0, 0.6), 1.0
        gizmo.use_draw_modal, gizmo.line_width = True, 3.0
        return gizmo


CLASSES = (INNERWALK_GGT_panel,)
