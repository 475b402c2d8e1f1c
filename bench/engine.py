"""Innerwalk's render engine beside Cycles: processor seconds of a picture of an open hall, and how pixels differ.

Both draw the walk through the shipped hall and through ResNet-50's, after a first picture.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..blender_addon.output.figure_options import FigureOptions
from ..blender_addon.output.preset_scene import preset_scene
from ..blender_addon.scene.view import render
from ..torch_bridge.recording import Recording, load
from .hall import noise_recording, resnet50_shapes

OBJECT = Path(__file__).resolve().parent.parent / "tests" / "support" / "object_recording"
COUNT = 16
"""Passes of the engine, samples of Cycles."""
LEAST_RATIOS = {(960, 540): 4.5, (1920, 1080): 6.0}
"""Budgets by size in pixels: Cycles' seconds over the engine's."""
FINE = {"innerwalk": 64, "cycles": 128}
"""Passes and samples of the pictures whose pixels are compared."""
MOST_RMS = 3.0


def measure() -> dict[str, Any]:
    """Returns the seconds of both engines by hall and size, their ratio, and the difference of fine pictures."""
    found: dict[str, Any] = {}
    for name, recording in (("object", load(OBJECT)), ("ResNet-50", noise_recording(resnet50_shapes()))):
        scene = _hall(recording)
        for size, budget in LEAST_RATIOS.items():
            engine, cycles = (_seconds(scene, size, key) for key in FINE)
            row = {"engine CPU s": engine, "Cycles CPU s": cycles, "ratio": cycles / engine, "at least": budget}
            found[f"{name}, {size[0]} × {size[1]}, {COUNT} passes"] = row
        pictures = [_picture(scene, (960, 540), key, count) for key, count in FINE.items()]
        difference = float(np.sqrt(np.mean((pictures[0] - pictures[1]) ** 2)))
        found[f"{name}, rms of 255"] = {"measured": difference, "at most": MOST_RMS}
    return found


def _hall(recording: Recording) -> bpy.types.Scene:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene, _, _ = preset_scene(recording, FigureOptions(preset="walk", engine="cycles"), None)
    scene.render.use_persistent_data = True
    return scene


def _seconds(scene: bpy.types.Scene, size: tuple[int, int], engine: str) -> float:
    """Returns the processor seconds of the second picture."""
    _picture(scene, size, engine, COUNT)
    start = sum(os.times()[:2])
    _picture(scene, size, engine, COUNT)
    return sum(os.times()[:2]) - start


def _picture(scene: bpy.types.Scene, size: tuple[int, int], engine: str, count: int) -> np.ndarray:
    """Renders a picture; returns (height, width, 4) float 0..255 sRGB."""
    render.set_render_settings(scene, *size, count, engine)
    scene.cycles.use_adaptive_sampling = False
    with tempfile.TemporaryDirectory() as folder:
        render.render_png(scene, Path(folder) / "a.png")
        image = bpy.data.images.load(str(Path(folder) / "a.png"))
        pixels = np.empty(4 * size[0] * size[1], np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
    return pixels.reshape(size[1], size[0], 4) * 255
