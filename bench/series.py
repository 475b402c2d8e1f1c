"""Series of ResNet-50's panels: writing and reading an entry, a step of the timeline in its hall, and memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..blender_addon import actions  # noqa: F401 - its handler moves the hall with the timeline
from ..blender_addon.scene.hall.build import create_hall
from ..blender_addon.scene.hall.series import key_series, open_series
from ..torch_bridge.recording import Recording, SeriesWriter, load_series
from .hall import noise_recording, resident_mib, resnet50_shapes

ENTRIES = 3
WARM, STEPS = 20, 500
"""Frames before and at which time and memory are measured."""


def measure() -> dict[str, Any]:
    """Returns CPU seconds an entry and a frame, bytes an entry, and MiB that 500 frames add."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, base = Path(scratch) / "series", noise_recording(resnet50_shapes())
        with SeriesWriter(folder, "frame", 12.0) as writer:
            recordings = [_scaled(base, k) for k in range(ENTRIES)]
            written = [_seconds(writer.add, f"frame {k}", recordings[k]) for k in range(ENTRIES)]
        series = load_series(folder)
        read = [_seconds(series.load, k % ENTRIES) for k in range(WARM)]
        scene = create_hall(series.load(0))
        open_series(scene, folder)
        key_series(scene)
        spent, grown = _steps(scene)
        size = sum(path.stat().st_size for path in folder.iterdir()) / ENTRIES
    return {
        "entry written, CPU s": float(np.median(written)),
        "entry on disk, MB": size / 1e6,
        "entry opened, CPU s": float(np.median(read)),
        "frame shown": {"CPU s": spent, "budget": 0.1},
        f"{STEPS} frames": {"MiB": grown, "budget": 8.0},
    }


def _scaled(base: Recording, k: int) -> Recording:
    """Returns an entry with values of its own."""
    found = replace(base, input_name=f"frame {k}", all_maps={})
    found.add(replace(maps, texels=maps.texels * np.float32(1 + k), extras={}) for maps in base.all_maps.values())
    return found


def _steps(scene: bpy.types.Scene) -> tuple[float, float]:
    """Returns the median CPU seconds of a frame, and the MiB that all frames have added."""
    spent: list[float] = []
    start = 0.0
    for frame in range(WARM + STEPS):
        if frame == WARM:
            start = resident_mib()
        spent.append(_seconds(scene.frame_set, frame % ENTRIES + 1))
    return float(np.median(spent[WARM:])), resident_mib() - start


def _seconds(work: Callable[..., Any], *arguments: Any) -> float:
    start = time.process_time()
    work(*arguments)
    return time.process_time() - start
