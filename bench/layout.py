"""Hall planning: seconds by network, and the size of the hall in metres."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..blender_addon.layout import camera_presets, lay_out, lay_out_figure
from ..blender_addon.layout.label_placement import block_labels, panel_labels, stage_labels
from ..blender_addon.layout.layout_checks import measure_layout
from ..torch_bridge.recording import Layer

GRAPHS = Path(__file__).resolve().parent.parent / "tests" / "support" / "graphs.json.gz"
WIDTH, HEIGHT = 1920, 1080
NETWORKS = ("squeezenet1_0", "resnet50", "inception_v3", "densenet201", "resnet152", "vit_b_16", "efficientnet_v2_l")


def measure() -> dict[str, Any]:
    """Returns CPU seconds, the least of three runs each; budgets: 0.3 s for ResNet-152, 1 s for 1,000 panels."""
    graphs = json.loads(gzip.decompress(GRAPHS.read_bytes()))
    found = {"thousand panels": _timed(*_chain(1000))}
    for name in NETWORKS:
        rows, links = graphs[name]["layers"], [(s, t) for s, t in graphs[name]["links"]]
        found[name] = _timed([Layer(row[0], row[1], row[2], tuple(row[3:]), tuple(row[3:])) for row in rows], links)
    return found


def _chain(count: int) -> tuple[list[Layer], list[tuple[int, int]]]:
    shape = (64, 28, 28)
    layers = [Layer(f"part{k // 9}.conv{k}", "Conv2d", "panel", shape, shape) for k in range(count)]
    return layers, [(k, k + 1) for k in range(count - 1)]


def _timed(layers: list[Layer], links: list[tuple[int, int]]) -> dict[str, Any]:
    walk, figure = lay_out(layers, links), lay_out_figure(layers, links, WIDTH, HEIGHT)
    view = camera_presets.overview(figure, WIDTH, HEIGHT)
    sizes = measure_layout(walk)
    labels = (stage_labels(figure, view), block_labels(figure, layers, view), panel_labels(figure, layers, view))
    return {
        "panels": int(sizes["panels"]),
        "plan s": _least(lambda: lay_out(layers, links)),
        "figure s": _least(lambda: lay_out_figure(layers, links, WIDTH, HEIGHT)),
        "camera s": _least(lambda: camera_presets.overview(figure, WIDTH, HEIGHT)),
        "length m": sizes["length"],
        "least gap m": sizes["least_gap"],
        "wings": len(figure.wings),
        "span m": float(view.span or 0.0),
        "labels": " ".join(str(len(kind)) for kind in labels),
    }


def _least(job: Callable[[], Any]) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)
