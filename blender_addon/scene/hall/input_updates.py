"""Shows another input and prediction in an existing hall.

Everything changes in place: this runs between a person's actions, where undo doesn't notice new or removed data-blocks
and would keep dangling pointers.
"""

from __future__ import annotations

import bpy

from ....torch_bridge.recording import Recording
from ..dressing import board_updates
from ..paint import glyphs
from ..paint.styles import theme_style
from ..state.parts import find_part
from . import store


def show_recording(scene: bpy.types.Scene, recording: Recording) -> None:
    """Shows a recording's input and prediction and stores its description; the panels aren't filled.

    Objects that a person has moved stay there; deleted ones stay deleted.
    """
    appearance = store.read_appearance(scene)
    style = theme_style(appearance.theme)
    frame, picture, board = (find_part(scene, role) for role in ("input frame", "input", "answer board"))
    if picture is not None:
        board_updates.update_input(recording, frame, picture, style)
    if board is not None:
        board_updates.update_answer(recording, board, style)
    glyphs.forget_fonts()
    store.write_recording(scene, recording, appearance)
