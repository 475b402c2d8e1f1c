"""Writes on the title board what the panels show, of which checkpoint, in place: no data-block comes or goes."""

from __future__ import annotations

import bpy

from ...plans.maps_caption import caption_text, plan_caption
from ...plans.title_board import SIDE
from ...properties import ANNOTATION_ATTRIBUTE, COMPARED_HALL, DIFFERENCE_METHOD, DRAWN_CONTENT, ENTRY_LABEL
from ..paint.meshes import paint_over
from ..paint.styles import scene_style
from ..panels import panels, read_metadata
from ..state.parts import find_part, hall_collection


def shown_caption(scene: bpy.types.Scene, method: str) -> str:
    """Returns what the panels show, such as "Grad-CAM for Boston bull, epoch 4". method: that of their maps."""
    labels = [read_metadata(panel).labels for panel in panels(scene).values()]
    other = str(scene.get(COMPARED_HALL, "")) if method == DIFFERENCE_METHOD else ""
    text = caption_text(method, [own[0] if len(set(own)) == 1 else "" for own in labels], other)
    return ", ".join(filter(None, (text, str(hall_collection(scene).get(ENTRY_LABEL, "")))))


def keep_entry_label(scene: bpy.types.Scene, label: str) -> None:
    """Keeps the name of the checkpoint that is shown, such as "epoch 4", for the next caption; "" for none."""
    collection = hall_collection(scene)
    if label:
        collection[ENTRY_LABEL] = label
    else:
        collection.pop(ENTRY_LABEL, None)


def update_caption(scene: bpy.types.Scene, method: str) -> None:
    """Writes on the title board what the panels show, unless it says so already."""
    board = find_part(scene, "title")
    if board is None or board.data is None:
        return
    style, text = scene_style(scene), shown_caption(scene, method)
    key = f"{text} {style.palette['data'].tolist()}"
    if board.get(DRAWN_CONTENT) == key and ANNOTATION_ATTRIBUTE in board.data.attributes:
        return
    paint_over(plan_caption(text, SIDE, style), board)
    board[DRAWN_CONTENT] = key
