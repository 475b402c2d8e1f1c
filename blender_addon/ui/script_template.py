"""A script with a hall, to start from: an entry in Templates > Python of the text editor."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..extension import EXTENSION_ID

TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "innerwalk_hall.py"


def template_text() -> str:
    """Returns the script, which imports this installation of Innerwalk by its full name."""
    return TEMPLATE.read_text(encoding="utf-8").replace("from ..", f"from {EXTENSION_ID}.blender_addon.")


class INNERWALK_OT_open_template(bpy.types.Operator):
    """Open a new script that builds a hall, places an input, asks a method and writes files"""

    bl_idname = "innerwalk.open_template"
    bl_label = "Innerwalk Hall"
    bl_options = {"INTERNAL", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Adds the text, and shows it in the text editor."""
        text = bpy.data.texts.new(TEMPLATE.name)
        text.write(template_text())
        text.cursor_set(0)
        editor = context.space_data
        if isinstance(editor, bpy.types.SpaceTextEditor):
            editor.text, editor.top = text, 0
        return {"FINISHED"}


def draw_template(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draws the entry of Templates > Python, whose submenus Blender draws by the same menu."""
    if not getattr(context, "path_menu_directory", ""):
        menu.layout.separator()
        menu.layout.operator(INNERWALK_OT_open_template.bl_idname)


CLASSES = (INNERWALK_OT_open_template,)
MENUS = ((bpy.types.TEXT_MT_templates_py, draw_template),)
