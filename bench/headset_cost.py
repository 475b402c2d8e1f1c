"""Cost of halls in a headset: what an eye draws with everything in view, and the time to read what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bpy
import torch

from ..blender_addon.scene.engine.scene_items import SceneItems
from ..blender_addon.scene.hall.build import create_hall
from ..blender_addon.scene.panels import panels
from ..tests.support.graphics import with_graphics
from ..torch_bridge import record
from ..torch_bridge.models.build import build_model
from ..torch_bridge.recording import Recording
from .hall import noise_recording

MIB = 2**20
REPEATS = 9


def measure() -> dict[str, Any]:
    """Returns by hall: draws, triangles, MiB of textures; processor milliseconds of reading all, and a moved panel."""
    halls: dict[str, Callable[[], Recording]] = {
        "ResNet-50": lambda: _recorded("resnet50"),
        "DenseNet-201": lambda: _recorded("densenet201"),
        "212,480 tiles of 14 × 14, 415 panels": lambda: noise_recording(
            [(f"l{k}", "Conv2d", (512, 14, 14)) for k in range(415)]
        ),
    }
    return {name: _row(recording()) for name, recording in halls.items()}


def _recorded(network: str) -> Recording:
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 224, 224)
    return record(build_model(network).module, picture, layers="panels")


def _row(recording: Recording) -> dict[str, float]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = create_hall(recording)
    bpy.context.window.scene = scene
    shown, depsgraph = SceneItems(), bpy.context.evaluated_depsgraph_get()
    spent = {"reading all, CPU ms": with_graphics(scene, lambda: _read(shown, depsgraph))}
    moves = []
    bpy.app.handlers.depsgraph_update_post.append(lambda _, evaluated: shown.note_updates(evaluated))
    for _ in range(REPEATS):
        next(iter(panels(scene).values())).location.x += 0.01
        depsgraph.update()
        moves.append(with_graphics(scene, lambda: _read(shown, depsgraph)))
    bpy.app.handlers.depsgraph_update_post.pop()
    spent["reading a moved panel, CPU ms"] = sorted(moves)[REPEATS // 2]
    return _drawn(scene, shown) | spent


def _read(shown: SceneItems, depsgraph: bpy.types.Depsgraph) -> float:
    start = time.process_time()
    shown.update(depsgraph)
    return 1000 * (time.process_time() - start)


def _drawn(scene: bpy.types.Scene, shown: SceneItems) -> dict[str, float]:
    textures = {id(each): each for item in shown.items for each in item.shape.textures.values()}
    triangles = 0
    for holder in scene.objects:
        if holder.type == "MESH" and holder not in panels(scene).values():
            holder.data.calc_loop_triangles()
            triangles += len(holder.data.loop_triangles)
    size = sum(16 * each.width * each.height for each in textures.values())
    return {"draws": len(shown.items), "triangles": triangles + 2 * len(panels(scene)), "textures MiB": size / MIB}
