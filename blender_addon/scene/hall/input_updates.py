"""A hall that stands shows another input and another answer: the picture in its frame, and the board at the end.

All in place. This happens between a person's actions, and undo knows of no data-block that comes or goes there: it
would leave pointers to what is gone.
"""

from __future__ import annotations

import bpy

from ....torch_bridge.recording import Recording
from ...properties import OBJECT_ROLE
from ..dressing import board_updates
from ..paint import glyphs
from ..paint.styles import theme_style
from . import store


def show_recording(scene: bpy.types.Scene, recording: Recording) -> None:
    """Show the input and the answer of a recording, and keep its description; panels are filled by others.

    What a person has moved stays there, what they have taken away stays away.
    """
    appearance = store.read_appearance(scene)
    style = theme_style(appearance.theme)
    frame, holder, board = (_of(scene, role) for role in ("input frame", "input", "answer board"))
    if holder is not None:
        board_updates.update_input(recording, frame, holder, style)
    if board is not None:
        board_updates.update_answer(recording, board, style)
    glyphs.forget_fonts()
    store.write_recording(scene, recording, appearance)


def _of(scene: bpy.types.Scene, role: str) -> bpy.types.Object | None:
    return next((one for one in scene.objects if one.get(OBJECT_ROLE) == role), None)
