"""Operators that write a recipe of the hall as it was arranged, and open one."""

from __future__ import annotations

from typing import Any

import bpy

from ..common.operators import ActionOperator, NeedsHall
from ..common.paths import RECIPES, entered_file, entered_path


class RecipeOperator(NeedsHall, ActionOperator):
    """Asks for a recipe's file."""

    filepath: bpy.props.StringProperty(name="Recipe", description="File of the recipe", subtype="FILE_PATH")
    filter_glob: bpy.props.StringProperty(default="*.toml", options={"HIDDEN"})

    @staticmethod
    def entered(text: str) -> str:
        """Returns the path that a text means."""
        return entered_path(text)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute."""
        return super().arguments(context) | {"filepath": self.entered(self.filepath)}


class INNERWALK_OT_save_recipe(RecipeOperator):
    """Write the hall's colours, collapsed blocks and moved panels as a recipe, from which figures are made"""

    bl_idname = "innerwalk.save_recipe"
    bl_label = "Save as Recipe"
    bl_options = {"REGISTER"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Adds the suffix that a person may leave out."""
        found = super().arguments(context)
        return found | {"filepath": bpy.path.ensure_ext(found["filepath"], ".toml")}


class INNERWALK_OT_open_recipe(RecipeOperator):
    """Give the hall the colours, collapsed blocks and moved panels of a recipe"""

    bl_idname = "innerwalk.open_recipe"
    bl_label = "Open Recipe"

    @staticmethod
    def entered(text: str) -> str:
        """Returns the file that a text means. Raises InputError."""
        return entered_file("recipe", text, RECIPES)


CLASSES = (INNERWALK_OT_save_recipe, INNERWALK_OT_open_recipe)
