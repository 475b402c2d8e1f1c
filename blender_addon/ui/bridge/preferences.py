"""The extension's preferences."""

from __future__ import annotations

import bpy

from ...extension import EXTENSION_ID
from .bridge_form import draw_start
from .settings import INNERWALK_PG_bridge


class INNERWALK_preferences(bpy.types.AddonPreferences):
    """Preferences of the extension"""

    bl_idname = EXTENSION_ID

    bridge: bpy.props.PointerProperty(type=INNERWALK_PG_bridge)

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the form of the sidebar."""
        draw_start(self.layout, self.bridge)


CLASSES = (INNERWALK_preferences,)
