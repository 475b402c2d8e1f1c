"""Handles on the active panel: along and across the aisle, turn, scale.

They start Blender's own transforms, so that undo, Esc, typed numbers and snapping are as everywhere.
"""

from __future__ import annotations

import math

import bpy
from mathutils import Matrix, Vector

from ...properties import (HALL_VERSION, OBJECT_ROLE, PANEL_ROLE)

RED, GREEN, BLUE, WHITE = (0.95, 0.3, 0.35), (0.5, 0.85, 0.2), (0.3, 0.6, 0.95), (0.9, 0.9, 0.9)
OUT = 0.25
"""How far before the panel's foot the handles are, metres."""


class INNERWALK_GGT_panel(bpy.types.GizmoGroup):
    """Handles on the active panel of a hall"""

    bl_label = "Innerwalk Panel"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_options = {"3D", "PERSISTENT", "SHOW_MODAL_ALL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where a panel of a hall is active and selected."""
        panel = context.active_object
        ours = panel is not None and panel.get(OBJECT_ROLE) == PANEL_ROLE and HALL_VERSION in context.scene
        return ours and context.mode == "OBJECT" and panel.select_get() and panel.visible_get()

    def setup(self, context: bpy.types.Context) -> None:
        """The four handles."""
        self.across, self.along = (self._arrow(axis, colour) for axis, colour in ((0, RED), (1, GREEN)))
        self.turn = self._new("GIZMO_GT_dial_3d", BLUE)
        self.turn.draw_options, self.turn.scale_basis = {"ANGLE_START_Y"}, 0.4
        turn = self.turn.target_set_operator("transform.rotate")
        turn.orient_axis, turn.orient_type, turn.constraint_axis = "Z", "GLOBAL", (False, False, True)
        self.size = self._new("GIZMO_GT_arrow_3d", WHITE)
        self.size.draw_style, self.size.length = "BOX", 0.7
        self.resizing, self.turning = self.size.target_set_operator("transform.resize"), turn
        turn.release_confirm = self.resizing.release_confirm = True

    def draw_prepare(self, context: bpy.types.Context) -> None:
        """Follow the panel."""
        from ...scene.panels import size_of

        panel = context.active_object
        at = panel.matrix_world
        foot = at @ Vector((size_of(panel)[0] / 2, 0.0, 0.0))
        shown = foot + at.to_quaternion() @ Vector((0.0, 0.0, OUT))
        place = Matrix.Translation(shown)
        self.across.matrix_basis = place @ Matrix.Rotation(math.pi / 2, 4, "Y")
        self.along.matrix_basis = place @ Matrix.Rotation(-math.pi / 2, 4, "X")
        self.turn.matrix_basis = self.size.matrix_basis = place
        self.turning.center_override = self.resizing.center_override = foot

    def _arrow(self, axis: int, colour: tuple[float, float, float]) -> bpy.types.Gizmo:
        gizmo = self._new("GIZMO_GT_arrow_3d", colour)
        moving = gizmo.target_set_operator("transform.translate")
        moving.constraint_axis = tuple(k == axis for k in range(3))
        moving.orient_type, moving.release_confirm = "GLOBAL", True
        return gizmo

    def _new(self, kind: str, colour: tuple[float, float, float]) -> bpy.types.Gizmo:
        gizmo = self.gizmos.new(kind)
        gizmo.color, gizmo.alpha, gizmo.color_highlight, gizmo.alpha_highlight = colour, 0.8, (1.0, 1.0, 0.6), 1.0
        gizmo.use_draw_modal, gizmo.line_width = True, 3.0
        return gizmo


CLASSES = (INNERWALK_GGT_panel,)
