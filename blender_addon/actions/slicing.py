"""Volumes are shown as slices along one of their three axes, which a person chooses."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np

from ...torch_bridge.recording import Endpoint
from ...torch_bridge.recording.errors import UnknownName
from ..plans.shown_endpoints import AXES, slice_axis
from ..scene.hall import store
from ..scene.hall.input_updates import show_recording


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
    return f"{', '.join(volumes[layer] for layer in chosen)}: {shown.note}"


def _turned(volume: Endpoint) -> Endpoint:
    """Returns a volume with its slices along the next axis: (n, H, W, 3) becomes (H, W, n, 3)."""
    axis = (slice_axis(volume) + 1) % AXES
    pixels = np.ascontiguousarray(np.moveaxis(np.asarray(volume.pixels), 0, AXES - 1))
    return replace(volume, pixels=pixels, note=f"slices along axis {axis}")
