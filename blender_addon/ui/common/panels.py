"""Bases of the panels in the sidebar's Innerwalk tab."""

from __future__ import annotations

import bpy

from ...properties import HALL_VERSION


class SidebarPanel:
    """Panels in the Innerwalk tab of the 3D view's sidebar."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"


class HallPanel(SidebarPanel):
    """Sidebar panels that only halls have."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the scene is a hall."""
        return HALL_VERSION in context.scene
