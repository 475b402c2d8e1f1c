"""Writes on the title board which checkpoint of a training run a hall shows, in place: no data-block comes or goes."""

from __future__ import annotations

import bpy

from ...plans.primitives import Plan
from ...plans.title_board import plan_entry_label
from ...properties import ANNOTATION_ATTRIBUTE, ENTRY_LABEL, OBJECT_ROLE
from ..paint import glyphs
from ..paint.meshes import paint_over
from ..paint.styles import scene_style
from ..state.parts import hall_collection


def show_entry_label(scene: bpy.types.Scene, label: str) -> None:
    """Writes a label such as "epoch 4" where the board names the weights; "" shows these again."""
    collection = hall_collection(scene)
    if label:
        collection[ENTRY_LABEL] = label
    else:
        collection.pop(ENTRY_LABEL, None)
    draw_entry_label(scene)


def draw_entry_label(scene: bpy.types.Scene) -> None:
    """Writes the label again, as on a board that was just drawn."""
    label, style = str(hall_collection(scene).get(ENTRY_LABEL, "")), scene_style(scene)
    for board in [holder for holder in scene.objects if holder.get(OBJECT_ROLE) == "title"]:
        if label or ANNOTATION_ATTRIBUTE in board.data.attributes:
            paint_over(plan_entry_label(label, style) if label else Plan(style), board)
    glyphs.forget_fonts()
