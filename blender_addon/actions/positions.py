"""Panels of layers that work on several frames or windows of an input show one of them, which a person chooses.

The choice is stored in the scene, so undo and saving cover it, and each input and each method keeps it.
"""

from __future__ import annotations

from operator import index

import bpy

from ...torch_bridge.recording import place_text
from ...torch_bridge.recording.errors import InputError
from ..live import hall_requests
from ..live.session import current
from ..live.stored_choices import chosen_positions
from ..properties import PANEL_SHOWN_LAYER
from ..scene.panels import panel_of
from .bridge import run_input_again


def choose_position(scene: bpy.types.Scene, layer: str, position: int) -> str:
    """Shows another frame, window or other position of the input on the panel of a layer, and runs the input again.

    position: counted from 0. Returns a line that says what is shown. Raises BridgeError, UnknownName for the layer, or
    InputError for a position that it doesn't have.
    """
    panel = panel_of(scene, layer)
    _, positions, axis = hall_requests.place_of(current(), scene, panel)
    if positions == 1:
        raise InputError(f"layer {layer} has one value for each input, so there is no position to choose")
    is_number = hasattr(position, "__index__") and not isinstance(position, bool)
    if not is_number or not 0 <= index(position) < positions:
        raise InputError(f"layer {layer} has {axis}s 0 to {positions - 1:,}; there is no {axis} {position}")
    options = hall_requests.run_options(scene)
    chosen = {**(options.positions or {}), str(panel.get(PANEL_SHOWN_LAYER, layer)): index(position)}
    run_input_again(scene, options._replace(positions=chosen))
    return f"{layer} shows {place_text(position, positions, axis)}"


def position_of(scene: bpy.types.Scene, layer: str) -> tuple[int, int, str]:
    """Returns the position that a layer's panel shows or will show, their number, and what one is, such as "window".

    A layer with one value for each input has 0, 1 and "". Raises UnknownName.
    """
    panel = panel_of(scene, layer)
    position, positions, axis = hall_requests.place_of(current(), scene, panel)
    chosen = chosen_positions(scene).get(str(panel.get(PANEL_SHOWN_LAYER, layer)), position)
    return chosen, positions, axis
