"""Rendering times of figures by the default engine: every preset at 1080p, and the preview."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import bpy

from ..blender_addon.layout.camera_presets import PRESETS
from ..blender_addon.output.figure import render_figure
from ..blender_addon.output.figure_options import SAMPLES, FigureOptions
from .hall import noise_recording, resnet50_shapes

PREVIEW = 4


def measure() -> dict[str, Any]:
    """Returns seconds (wall, CPU) of figures of ResNet-50 at 1920 × 1080, with building the hall."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    recording, found = noise_recording(resnet50_shapes()), {}
    for preset in PRESETS:
        options = FigureOptions(
            preset=preset, samples=SAMPLES, layer="layer2.0.conv2" if preset in ("layer", "tile") else None
        )
        found[f"{preset}, {SAMPLES} samples"] = _timed(recording, options) | {"budget": 10.0}
    found[f"overview, preview of {PREVIEW} samples"] = _timed(recording, FigureOptions(samples=PREVIEW)) | {
        "budget": 2.0
    }
    return found


def _timed(recording: Any, options: FigureOptions) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        wall, processor = time.perf_counter(), time.process_time()
        render_figure(recording, Path(folder) / "a.png", options)
        return {"s": time.perf_counter() - wall, "CPU s": time.process_time() - processor}
