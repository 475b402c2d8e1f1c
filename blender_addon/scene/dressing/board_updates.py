"""Shows other inputs and answers on the boards of a hall, in place: no data-block comes or goes."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording import Recording
from ...layout.boards import SQUARE
from ...plans.answer_board import plan_answers
from ...plans.board_contents.mosaics import mosaic
from ...plans.input_boards import plan_input_frame
from ...plans.primitives import Style, aspect_size
from ...plans.shown_endpoints import mosaic_of, pixels_of, shown_inputs
from ...properties import INPUT_NAME
from ..paint.meshes import repaint
from ..paint.pictures import picture_size, update_picture
from ..state.parts import find_board, find_child

BLACK = np.zeros((1, 1, 1, 3), np.uint8)
"""Stands for the picture of an input that has none."""


def update_inputs(scene: bpy.types.Scene, recording: Recording, style: Style) -> None:
    """Shows other inputs, wherever a person has put frames and pictures."""
    for number in range(len(shown_inputs(recording))):
        frame, picture = (find_board(scene, role, number) for role in ("input frame", "input"))
        if picture is not None:
            _update_pictured(recording, number, frame, picture, style)
        elif frame is not None:
            repaint(plan_input_frame(recording, number, SQUARE, style), frame)


def _update_pictured(
    recording: Recording, number: int, frame: bpy.types.Object | None, picture: bpy.types.Object, style: Style
) -> None:
    """Shows another picture within the same square."""
    shown = shown_inputs(recording)[number]
    old, own = picture_size(picture), pixels_of(shown)
    pictures = BLACK if own is None else own
    pixels = mosaic(pictures)
    new = aspect_size(pixels, max(old))
    if frame is not None and (new != old or frame.get(INPUT_NAME) != shown.source):
        repaint(plan_input_frame(recording, number, max(old), style), frame)
        frame[INPUT_NAME] = shown.source
    shift = Matrix.Translation((old[0] - new[0], (old[1] - new[1]) / 2, 0.0))
    for holder in filter(None, (frame, picture)) if new != old else ():
        holder.matrix_basis = holder.matrix_basis @ shift
    update_picture(picture, pixels, new, mosaic_of(shown))


def update_answers(scene: bpy.types.Scene, recording: Recording, style: Style) -> None:
    """Shows other answers of the same kinds."""
    for plan in plan_answers(recording, style):
        board = find_board(scene, "answer board", plan.number)
        if board is None or not plan:
            continue
        repaint(plan, board)
        holder = find_child(board, "answer")
        for picture in plan.pictures if holder is not None else ():
            holder.matrix_basis.translation = (*picture.plane.origin[:2], holder.matrix_basis.translation.z)
            update_picture(holder, picture.pixels, picture.size, picture.mosaic)
