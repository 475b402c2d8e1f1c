"""Cost of halls in a headset: draws, triangles and texture memory, with the shader and with baked colours."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import torch

from ..blender_addon.scene.hall import baking
from ..blender_addon.scene.hall.build import create_hall
from ..torch_bridge import record
from ..torch_bridge.models.build import build_model
from ..torch_bridge.recording import Recording
from .hall import noise_recording

MIB = 2**20
BUDGETS = (256, 32)
"""MiB of baked textures."""


def measure() -> dict[str, Any]:
    """Returns by hall, for the shader and baked: draws, triangles, MiB of textures; seconds of baking (wall, CPU)."""
    halls: dict[str, Callable[[], Recording]] = {
        "ResNet-50": lambda: _recorded("resnet50"),
        "DenseNet-201": lambda: _recorded("densenet201"),
        "212,480 tiles of 14 × 14, 415 panels": lambda: noise_recording(
            [(f"l{k}", "Conv2d", (512, 14, 14)) for k in range(415)]
        ),
    }
    return {f"{name}, {row}": cells for name, recording in halls.items() for row, cells in _rows(recording()).items()}


def _recorded(network: str) -> Recording:
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 224, 224)
    return record(build_model(network).module, picture, layers="panels")


def _rows(recording: Recording) -> dict[str, dict[str, Any]]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = create_hall(recording)
    bpy.context.window.scene = scene
    found = {"Material Preview": {**_drawn(scene), "textures MiB": baking.source_image_bytes(scene) / MIB}}
    for budget in BUDGETS:
        spent = _baked(scene, budget * MIB)
        cells = {**_drawn(scene), "textures MiB": baking.texture_bytes(scene) / MIB, **spent}
        found[f"baked within {budget} MiB"] = cells
        baking.unbake(scene)
    return found


def _baked(scene: bpy.types.Scene, budget: int) -> dict[str, float]:
    wall, spent, steps = time.perf_counter(), time.process_time(), [0.0]
    before = wall
    for _ in baking.bake(scene, scene.camera.matrix_world, budget):
        now = time.perf_counter()
        steps.append(now - before)
        before = now
    seconds = {"s": time.perf_counter() - wall, "CPU s": time.process_time() - spent}
    return seconds | {"longest step ms": 1000 * max(steps)}


def _drawn(scene: bpy.types.Scene) -> dict[str, int]:
    """Returns draws and triangles of one eye with everything in view: one draw per material of each visible object."""
    draws = triangles = 0
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        mesh = instance.object.data if instance.object.type == "MESH" else None
        if mesh is None or not mesh.polygons:
            continue
        used = np.zeros(len(mesh.polygons), np.int32)
        mesh.polygons.foreach_get("material_index", used)
        draws += len(np.unique(used))
        triangles += len(mesh.loop_triangles)
    return {"draws": draws, "triangles": triangles}
