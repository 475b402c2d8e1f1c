"""A hall that stands shows another input and another answer: the picture in its frame, and the board at the end."""

from __future__ import annotations

import bpy
import numpy as np

from ...torch_bridge.recording import Recording
from . import answers, boards, store
from .build import remove
from .hall import collection_of
from .paint import ROLE, Kit, Plane
from .pictures import image_in, set_pixels


def renew(scene: bpy.types.Scene, recording: Recording) -> None:
    """Show the input and the answer of a recording, and keep its description; panels are filled by others."""
    dress = store.dress_of(scene)
    kit = Kit.of(dress.theme, collection_of(scene))
    _input(scene, recording, kit)
    _answer(scene, recording, kit)
    store.keep(scene, recording, dress)


def _input(scene: bpy.types.Scene, recording: Recording, kit: Kit) -> None:
    """New pixels where the picture has the same size as before, else frame and picture anew in the same place."""
    frame, holder = _of(scene, "input frame"), _of(scene, "input")
    if frame is None or holder is None:  # a person has taken it away
        return
    image = image_in(holder)
    same = image is not None and tuple(image.size) == recording.picture.shape[1::-1]
    if same and frame.get(boards.NAME) == recording.input_name:
        set_pixels(image, recording.picture)
        return
    width, height = holder.dimensions[:2]
    edge = max(width, height)
    at = _plane(frame).moved(width - edge, (height - edge) / 2)
    remove([frame, holder])
    boards.add_input(recording, at, edge, kit)


def _answer(scene: bpy.types.Scene, recording: Recording, kit: Kit) -> None:
    board = _of(scene, "answer board")
    if board is None:
        return
    at, scale, place = _plane(board), board.scale[0], board.matrix_basis.copy()
    remove([board, *board.children])
    made = answers.add_answer(recording, at, scale, kit)
    if made is not None:
        made.matrix_basis = place


def _of(scene: bpy.types.Scene, role: str) -> bpy.types.Object | None:
    return next((one for one in scene.objects if one.get(ROLE) == role), None)


def _plane(holder: bpy.types.Object) -> Plane:
    """The plane that an object was built on, its axes of length 1."""
    right, up, _ = (np.array(axis, float) for axis in holder.matrix_basis.to_3x3().normalized().transposed())
    return Plane(np.array(holder.matrix_basis.translation, float), right, up)
