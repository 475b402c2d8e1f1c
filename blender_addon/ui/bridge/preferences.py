"""The extension's preferences."""

from __future__ import annotations

import bpy

from ...extension import EXTENSION_ID
from .bridge_form import draw_networks
from .python_form import draw_missing_python
from .settings import INNERWALK_PG_bridge, default_python


class INNERWALK_preferences(bpy.types.AddonPreferences):
    """Preferences of the extension"""

    bl_idname = EXTENSION_ID

    bridge: bpy.props.PointerProperty(type=INNERWALK_PG_bridge)

    def draw(self, context: bpy.types.Context) -> None:
        """Draws where networks run, then the form of the sidebar."""
        column = self.layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(self.bridge, "python", placeholder=default_python() or "its program")
        column.prop(self.bridge, "device", placeholder="the best available")
        column.prop(self.bridge, "folder")
        column.prop(self.bridge, "rater", placeholder="your user name")
        if not (self.bridge.python or default_python()):
            draw_missing_python(self.layout)
        self.layout.separator(type="LINE")
        draw_networks(self.layout, self.bridge)


CLASSES = (INNERWALK_preferences,)
