"""What is shown of several: a frame or window of an input on a layer's panel, and slices of a volume on its board.

A person's choice is stored in the scene, so undo and saving cover it; each input and each method keeps a position.
"""

from __future__ import annotations

from dataclasses import replace
from operator import index

import bpy
import numpy as np

from ...torch_bridge.recording import Endpoint, place_text
from ...torch_bridge.recording.endpoints import AXES
from ...torch_bridge.recording.errors import InputError, UnknownName
from ..live import hall_requests
from ..live.session import current
from ..live.stored_choices import chosen_positions
from ..properties import PANEL_SHOWN_LAYER
from ..scene.hall import store
from ..scene.hall.input_updates import show_recording
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


def turn_slices(scene: bpy.types.Scene, endpoint: str = "") -> str:
    """Shows the slices of a volume along its next axis; another input is shown along its first axis again.

    endpoint: name of the input or output, "" for all volumes. Returns a line that says what is shown. Raises
    UnknownName if there is no such volume.
    """
    recording = store.read_without_maps(scene)
    endpoints = (*recording.inputs, *recording.outputs)
    volumes = {own.layer: own.name for own in endpoints if own.kind == "volume" and own.pixels is not None}
    if not (chosen := [layer for layer, name in volumes.items() if endpoint in ("", name)]):
        raise UnknownName("volume", endpoint, list(volumes.values()))
    inputs, outputs = (
        tuple(_turned(own) if own.layer in chosen else own for own in side)
        for side in (recording.inputs, recording.outputs)
    )
    show_recording(scene, replace(recording, inputs=inputs, outputs=outputs))
    shown = next(own for own in (*inputs, *outputs) if own.layer == chosen[0])
    return f"{', '.join(volumes[layer] for layer in chosen)}: slices along axis {shown.axis}"


def _turned(volume: Endpoint) -> Endpoint:
    """Returns a volume with its slices along the next axis: (n, H, W, 3) becomes (H, W, n, 3)."""
    pixels = np.ascontiguousarray(np.moveaxis(np.asarray(volume.pixels), 0, AXES - 1))
    return replace(volume, pixels=pixels, axis=(volume.axis + 1) % AXES)
