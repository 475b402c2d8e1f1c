"""Strokes of a brush from the command line: `innerwalk record generator --stroke insert:up3.up:0-39@0.5,0.5,0.3`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...blender_addon.imaging.brush_cells import brush_cells
from ...torch_bridge.models.device import choose_device
from ...torch_bridge.recording import Recording
from ...torch_bridge.server.in_process import denormals_restored
from ...torch_bridge.server.loaded_model import LoadedModel
from ...torch_bridge.server.priority_lock import PriorityLock
from ...torch_bridge.subject import RecordSpec
from ..options.stroke_argument import SpotStroke


def record_painted(spec: RecordSpec, strokes: Sequence[SpotStroke]) -> Recording:
    """Records a network after strokes on its maps. Raises InputError, UnknownName or ModelError."""
    with denormals_restored():
        live = LoadedModel(spec.name or spec.model, spec, choose_device("cpu"), PriorityLock())
        inputs = live.read(live.default_sources, spec.index)
        network = live.record(inputs, (), lambda maps: None).network
        values: list[dict[str, Any]] = []
        for own in strokes:
            shape = network.layer(network.layer(own.layer).shows or own.layer).map_shape[1:]
            cells = [list(cell) for cell in brush_cells(own.across, own.down, own.size, shape)]
            values.append({"layer": own.layer, "channels": list(own.channels), "cells": cells, "insert": own.insert})
        return live.record(inputs, spec.layers, lambda maps: None, strokes=values)
