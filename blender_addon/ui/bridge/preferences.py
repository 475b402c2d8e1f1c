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
    textures: bpy.props.IntProperty(
        name="Textures in a Headset",
        description="Largest size of a hall's textures during a walk with a headset, in MiB",
        default=256,
        min=16,
        soft_max=4096,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the form of the sidebar, and the budget of textures."""
        draw_start(self.layout, self.bridge)
        self.layout.prop(self, "textures")


CLASSES = (INNERWALK_preferences,)
