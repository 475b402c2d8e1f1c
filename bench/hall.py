"""Time and memory of building and saving halls: ResNet-50's panels, and 212,480 tiles."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..blender_addon.output.hall_files import save_hall
from ..blender_addon.scene.hall.build import create_hall
from ..blender_addon.scene.panels import panels
from ..torch_bridge.recording import ACTIVATIONS, Edge, Layer, Maps, Network, Prediction, Recording

STAGES = ((64, 56, 3), (128, 28, 4), (256, 14, 6), (512, 7, 3))
"""Width, side of a map and number of blocks of the four stages of ResNet-50."""


def resnet50_shapes() -> list[tuple[str, str, tuple[int, int, int]]]:
    """Returns (id, kind, (C, H, W)) of ResNet-50's 70 panels."""
    found = [("conv1", "Conv2d", (64, 112, 112))]
    for stage, (width, side, count) in enumerate(STAGES, 1):
        for block in range(count):
            path = f"layer{stage}.{block}"
            found += [(f"{path}.conv{k}", "Conv2d", (width, side, side)) for k in (1, 2)]
            found.append((f"{path}.conv3", "Conv2d", (4 * width, side, side)))
            found += [(f"{path}.downsample.0", "Conv2d", (4 * width, side, side))] * (block == 0)
            found.append((f"{path}:add", "add", (4 * width, side, side)))
    return [*found, ("fc", "Linear", (1000, 1, 1))]


def noise_recording(shapes: list[tuple[str, str, tuple[int, int, int]]]) -> Recording:
    """Builds a recording of noise: a chain of panels, each sum with a skip from five panels before."""
    random, ids = np.random.default_rng(0), [id for id, _, _ in shapes]
    layers = [Layer("input", "input", "input", (3, 224, 224), (3, 224, 224))]
    layers += [Layer(id, kind, "panel", shape, shape, id) for id, kind, shape in shapes]
    edges = [Edge(source, target) for source, target in zip(["input", *ids], ids, strict=False)]
    edges += [Edge(ids[k - 5], id) for k, id in enumerate(ids) if id.endswith(":add") and k >= 5]
    answer = Prediction("classes", tuple((k, f"class {k}", 0.5**k / 2) for k in range(5)))
    recording = Recording(Network("ResNet-50", tuple(layers), tuple(edges)), "noise", _picture(random), answer)
    recording.add(Maps(id, ACTIVATIONS, _texels(random, shape), shape[0]) for id, _, shape in shapes)
    return recording


def _picture(random: np.random.Generator) -> np.ndarray:
    return random.integers(0, 255, (224, 224, 3)).astype(np.uint8)


def _texels(random: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    channels, height, width = shape
    return random.standard_normal((-(-channels // 4), height, width, 4), np.float32)


def measure() -> dict[str, Any]:
    """Returns seconds (wall, CPU) and MiB for halls of 70 panels and of 212,480 tiles, and for saving the first."""
    found: dict[str, Any] = {}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    recording = noise_recording(resnet50_shapes())
    for name in ("first in a process", "second"):
        spent, scene = _timed(recording)
        found[f"ResNet-50, 70 panels, {name}"] = spent | {"budget": 1.0}
    found["undo step, then an autosave that was never saved"] = _session(scene)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        path = save_hall(scene, Path(folder) / "hall.blend")
        found["saved"] = {"s": time.perf_counter() - start, "MiB": path.stat().st_size / 2**20}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    found["212,480 tiles of 14 × 14, 415 panels"], _ = _timed(
        noise_recording([(f"l{k}", "Conv2d", (512, 14, 14)) for k in range(415)])
    )
    found["peak memory, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def _session(scene: bpy.types.Scene) -> dict[str, float]:
    """Returns seconds and MiB of an undo step and of Blender's autosave, which has no maps."""
    panel = next(iter(panels(scene).values()))
    bpy.ops.ed.undo_push(message="before")
    memory, start = resident_mib(), time.perf_counter()
    panel.location.x += 0.1
    bpy.ops.ed.undo_push(message="move")
    spent = {"undo s": time.perf_counter() - start, "undo MiB": resident_mib() - memory}
    with tempfile.TemporaryDirectory() as folder:
        start, path = time.perf_counter(), Path(folder) / "auto.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
        return spent | {"autosave s": time.perf_counter() - start, "autosave MiB": path.stat().st_size / 2**20}


def resident_mib() -> float:
    """Returns the MiB of resident memory, from Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _timed(recording: Recording) -> tuple[dict[str, float], bpy.types.Scene]:
    for maps in recording.all_maps.values():
        maps.peak  # noqa: B018  (a recording on disk has them)
    wall, processor = time.perf_counter(), time.process_time()
    scene = create_hall(recording)
    spent = {"s": time.perf_counter() - wall, "CPU s": time.process_time() - processor}
    return spent, scene
