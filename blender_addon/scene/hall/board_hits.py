"""Which input or output of a hall's network was hit."""

from __future__ import annotations

import bpy

from ....torch_bridge.recording import Endpoint
from ...plans.shown_endpoints import shown_inputs, shown_outputs
from ..state.parts import board_number
from . import store
from .ray_hits import Hit


def hit_input(hall: bpy.types.Scene, hit: Hit) -> Endpoint | None:
    """Returns the input of a hall whose frame was hit, without its pictures; None for anything else."""
    holder: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    if holder is None or hit.role != "input":
        return None
    inputs, number = shown_inputs(store.read_description(hall)), board_number(holder)
    return inputs[number] if 0 <= number < len(inputs) else None


def hit_output(hall: bpy.types.Scene, hit: Hit) -> Endpoint | None:
    """Returns the output of a hall whose board was hit, without its pictures; None for anything else."""
    holder: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    if holder is None or hit.role != "answer":
        return None
    outputs, number = shown_outputs(store.read_description(hall)), board_number(holder)
    return outputs[number] if 0 <= number < len(outputs) else None


def hit_argument(hall: bpy.types.Scene, hit: Hit) -> str:
    """Returns the name of the argument whose frame was hit, as `place_input` takes it; "" where there is only one."""
    shown = hit_input(hall, hit)
    return shown.name if shown is not None and len(store.read_description(hall).inputs) > 1 else ""
