"""Shows another input and another answer on the boards of a hall, in place: no data-block comes or goes."""

from __future__ import annotations

import bpy
from mathutils import Matrix

from ....torch_bridge.recording import Recording
from ...plans.answer_board import plan_answer
from ...plans.entrance_boards import plan_input_frame
from ...plans.primitives import Style, aspect_size
from ...properties import INPUT_NAME
from ..paint.meshes import repaint
from ..paint.pictures import picture_size, update_picture
from ..state.parts import find_child


def update_input(recording: Recording, frame: bpy.types.Object | None, picture: bpy.types.Object, style: Style) -> None:
    """Shows another picture within the same square, wherever a person has put frame and picture."""
    old = picture_size(picture)
    new = aspect_size(recording.picture, max(old))
    if frame is not None and (new != old or frame.get(INPUT_NAME) != recording.input_name):
        repaint(plan_input_frame(recording.picture, recording.input_name, max(old), style), frame)
        frame[INPUT_NAME] = recording.input_name
    shift = Matrix.Translation((old[0] - new[0], (old[1] - new[1]) / 2, 0.0))
    for holder in filter(None, (frame, picture)) if new != old else ():
        holder.matrix_basis = holder.matrix_basis @ shift
    update_picture(picture, recording.picture, new)


def update_answer(recording: Recording, board: bpy.types.Object, style: Style) -> None:
    """Shows another answer of the same kind."""
    plan = plan_answer(recording, style)
    if not plan:
        return
    repaint(plan, board)
    holder = find_child(board, "answer")
    for picture in plan.pictures if holder is not None else ():
        holder.matrix_basis.translation = (*picture.plane.origin[:2], holder.matrix_basis.translation.z)
        update_picture(holder, picture.pixels, picture.size)
