"""Shows other inputs and outputs in an existing hall.

Everything changes in place: this runs between a person's actions, where undo doesn't notice new or removed data-blocks
and would keep dangling pointers.
"""

from __future__ import annotations

import bpy

from ....torch_bridge.recording import Recording
from ...properties import SERIES_SHOWN
from ..dressing import board_updates, title_caption
from ..paint import glyphs
from ..paint.styles import theme_style
from ..state.parts import hall_collection
from . import store


def show_recording(scene: bpy.types.Scene, recording: Recording) -> None:
    """Shows a recording's inputs and outputs and stores its description; the panels aren't filled.

    Objects that a person has moved stay there; deleted ones stay deleted.
    """
    hall_collection(scene).pop(SERIES_SHOWN, None)
    appearance = store.read_appearance(scene)
    style = theme_style(appearance.theme)
    board_updates.update_inputs(scene, recording, style)
    board_updates.update_answers(scene, recording, style)
    title_caption.keep_entry_label(scene, "")
    glyphs.forget_fonts()
    store.write_recording(scene, recording, appearance)
