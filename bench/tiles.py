"""Cost of tiles by their number: building, first picture, memory; and updates of all panels of ResNet-50.

Each size has its own process, so that peaks of memory are separate. Layers are made one by one and not kept, as when
they are read from a recording on disk.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..torch_bridge.recording import Maps

MARK = "tiles: "
SIZES = ((26_560, 14), (212_480, 14), (212_480, 7), (1_000_000, 14))
"""Tiles, texels a side."""
PER_PANEL = 500
LIMIT = 8 * 2**30
STAGES = ((3, 64, 56), (4, 128, 28), (6, 256, 14), (3, 512, 7))
"""ResNet-50: blocks, channels, texels a side."""


def measure() -> dict[str, Any]:
    """Returns rows by number of tiles, the most tiles within LIMIT by map size, and the update of a hall."""
    rows = {size: _child("size", *size) for size in SIZES}
    named = {f"{tiles:,} tiles of {side} × {side}": row for (tiles, side), row in rows.items()}
    return {**named, f"most tiles in {LIMIT >> 30} GiB": _limits(rows), "ResNet-50": _child("resnet")}


def _child(*arguments: str | int) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, *map(str, arguments)]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return json.loads(next(line for line in reversed(lines) if line.startswith(MARK)).removeprefix(MARK))


def _limits(rows: dict[tuple[int, int], dict[str, float]]) -> dict[str, int]:
    """Returns the most tiles within LIMIT by map size; fits bytes per tile, per texel and of Blender to the peaks."""
    known = [(1, tiles, tiles * side * side, row["peak MiB"] * 2**20) for (tiles, side), row in rows.items()]
    base, tile, texel = np.linalg.lstsq(np.array([row[:3] for row in known]), np.array([row[3] for row in known]))[0]
    return {f"{side} × {side}": int((LIMIT - base) / (tile + texel * side * side)) for side in (1, 7, 14, 28, 56, 112)}


def _layers(tiles: int, side: int) -> Iterator[Maps]:
    random = np.random.default_rng(0)
    for number, first in enumerate(range(0, tiles, PER_PANEL)):
        channels = min(PER_PANEL, tiles - first)
        yield _maps(f"layer{number}", random, channels, side)


def _maps(layer: str, random: np.random.Generator, channels: int, side: int) -> Maps:
    texels = random.standard_normal((-(-channels // 4), side, side, 4), dtype=np.float32)
    return Maps(layer, "activations", texels, channels, extras={"peak": np.full(channels, 3, np.float32)})


def _resnet() -> list[Maps]:
    """Returns maps with the shapes of ResNet-50's 70 panels: convolutions, sums, the classifier."""
    shapes = [(64, 112)]
    for blocks, channels, side in STAGES:
        for block in range(blocks):
            first = side * 2 if block == 0 and channels > 64 else side
            shapes += [(channels, first), (channels, side), (channels * 4, side)]
            shapes += [(channels * 4, side)] * (2 if block == 0 else 1)
    random = np.random.default_rng(0)
    return [_maps(f"layer{k}", random, *shape) for k, shape in enumerate([*shapes, (1000, 1)])]


def _build(layers: Iterator[Maps] | list[Maps]) -> float:
    """Adds panels side by side to the scene; returns the seconds."""
    import bpy

    from ..blender_addon.scene import panels
    from ..blender_addon.scene.materials import colour_settings

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene, spent = bpy.context.scene, 0.0
    colour_settings.set_scene_colours(scene)
    for number, maps in enumerate(layers):
        start = time.perf_counter()
        columns = max(1, round(maps.channels**0.5))
        grid = columns, -(-maps.channels // columns), (1 / columns, 1 / columns)
        panel = panels.add_panel(scene.collection, maps.layer, maps.layer, maps, grid)
        panel.location = number % 64, number // 64, 0
        spent += time.perf_counter() - start
    start = time.perf_counter()
    panels.update_network_peak(scene)
    bpy.context.view_layer.update()
    return spent + time.perf_counter() - start


def _picture() -> float:
    """Returns the seconds of the first picture: 1920 × 1080, one sample, all panels in view."""
    import bpy

    from ..blender_addon.scene.view.render import render_png, set_render_settings

    scene = bpy.context.scene
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    scene.camera.location, scene.camera.data.type, scene.camera.data.ortho_scale = (32, 16, 10), "ORTHO", 64  # type: ignore[misc]
    set_render_settings(scene, 1920, 1080, samples=1)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        render_png(scene, Path(folder) / "first.png")
    return time.perf_counter() - start


def _size(tiles: int, side: int) -> dict[str, float]:
    build, picture = _build(_layers(tiles, side)), _picture()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"panels": -(-tiles // PER_PANEL), "build s": build, "first picture s": picture, "peak MiB": peak}


def _update() -> dict[str, float]:
    """Builds all panels, then shows new values five times; returns the least times."""
    import bpy

    from ..blender_addon.scene import panels

    layers = _resnet()
    build, fills = _build(layers), []
    panels_by_layer = panels.panels(bpy.context.scene)
    for _ in range(5):
        start = time.perf_counter()
        for maps in layers:
            panels.show_maps(panels_by_layer[maps.layer], maps)
        panels.update_network_peak(bpy.context.scene)
        middle = time.perf_counter()
        bpy.context.view_layer.update()
        fills.append((middle - start, time.perf_counter() - middle))
    upload, evaluate = (min(times) * 1000 for times in zip(*fills, strict=True))
    return {
        "panels": len(panels_by_layer),
        "channels": sum(maps.channels for maps in layers),
        "build s": build,
        "new values ms": upload,
        "then evaluated ms": evaluate,
    }


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    found = _size(*map(int, numbers)) if what == "size" else _update()
    sys.stdout.write(f"{MARK}{json.dumps(found)}\n")
