"""Operators that collapse and expand the blocks of a hall."""

from __future__ import annotations

import bpy

from ...properties import HALL_VERSION
from ..common.operators import attempt
from .panel_operators import InHall


def _search(kind: str, context: bpy.types.Context, text: str) -> list[str]:
    from ... import actions

    if HALL_VERSION not in context.scene:
        return []
    return [name for name in getattr(actions, kind)(context.scene) if text.lower() in name.lower()]


def _ask(operator: bpy.types.Operator, context: bpy.types.Context) -> set[str]:
    """Ask which block where none was said."""
    if operator.properties.is_property_set("block"):
        return set(operator.execute(context))
    return set(context.window_manager.invoke_props_dialog(operator))


def _collapsible(operator: bpy.types.Operator, context: bpy.types.Context, text: str) -> list[str]:
    return _search("collapsible", context, text)


def _collapsed(operator: bpy.types.Operator, context: bpy.types.Context, text: str) -> list[str]:
    return _search("collapsed", context, text)


class INNERWALK_OT_collapse(InHall, bpy.types.Operator):
    """Let one panel stand for a whole block; the others wait in the file"""

    bl_idname = "innerwalk.collapse"
    bl_label = "Collapse Block"
    bl_options = {"REGISTER", "UNDO"}

    block: bpy.props.StringProperty(
        name="Block", description="Name of a block, with * for any letters, or all", options={"SKIP_SAVE"},
        search=_collapsible, search_options={"SUGGESTION"},
    )  # fmt: skip

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask which block."""
        return _ask(self, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Collapse it."""
        from ...actions import collapse

        return attempt(self, lambda: collapse(context.scene, self.block))


class INNERWALK_OT_expand(InHall, bpy.types.Operator):
    """Hang the panels of a collapsed block again"""

    bl_idname = "innerwalk.expand"
    bl_label = "Expand Block"
    bl_options = {"REGISTER", "UNDO"}

    block: bpy.props.StringProperty(
        name="Block", description="Name of a collapsed block, or all", options={"SKIP_SAVE"},
        search=_collapsed, search_options={"SUGGESTION"},
    )  # fmt: skip

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask which block."""
        return _ask(self, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Expand it."""
        from ...actions import expand

        return attempt(self, lambda: expand(context.scene, self.block))


CLASSES = (INNERWALK_OT_collapse, INNERWALK_OT_expand)
