"""Operators that collapse and expand the blocks of a hall."""

from __future__ import annotations

import bpy

from ...properties import HALL_VERSION
from ..common.operators import ActionOperator, NeedsHall


def _collapsible(operator: bpy.types.Operator, context: bpy.types.Context, text: str) -> list[str]:
    from ...actions import collapsible_blocks

    return _matching(collapsible_blocks(context.scene), text) if HALL_VERSION in context.scene else []


def _collapsed(operator: bpy.types.Operator, context: bpy.types.Context, text: str) -> list[str]:
    from ...actions import collapsed_blocks

    return _matching(collapsed_blocks(context.scene), text) if HALL_VERSION in context.scene else []


def _matching(blocks: list[str], text: str) -> list[str]:
    return [block for block in blocks if text.lower() in block.lower()]


class BlockOperator(NeedsHall, ActionOperator):
    """An action on a block; asks for it unless it is set."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the block unless it is set."""
        if self.properties.is_property_set("block"):
            return self.execute(context)
        return set(context.window_manager.invoke_props_dialog(self))


class INNERWALK_OT_collapse(BlockOperator):
    """Let one panel represent a whole block; the block's other panels are kept in the file"""

    bl_idname = "innerwalk.collapse"
    bl_label = "Collapse Block"

    block: bpy.props.StringProperty(
        name="Block",
        description="Name of a block, in which * stands for any letters, or all",
        options={"SKIP_SAVE"},
        search=_collapsible,
        search_options={"SUGGESTION"},
    )


class INNERWALK_OT_expand(BlockOperator):
    """Show all panels of a collapsed block again"""

    bl_idname = "innerwalk.expand"
    bl_label = "Expand Block"

    block: bpy.props.StringProperty(
        name="Block",
        description="Name of a collapsed block, or all",
        options={"SKIP_SAVE"},
        search=_collapsed,
        search_options={"SUGGESTION"},
    )


CLASSES = (INNERWALK_OT_collapse, INNERWALK_OT_expand)
