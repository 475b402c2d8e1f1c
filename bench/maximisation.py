"""Activation maximisation beside torch-lucent, and beside DeepVisionVR's loop: CPU seconds of one thread, one process.

Few steps are timed on each side, in turns, and scaled. Eight channels are climbed at a time. Real weights are looked
for in INNERWALK_DATA.
"""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..torch_bridge.method_support.maximisation_parameters import MaximisationParameters
from ..torch_bridge.method_support.maximisation_run import MaximisationRun
from ..torch_bridge.methods import MethodContext
from ..torch_bridge.models.torchvision_import import import_torchvision
from ..torch_bridge.server.allocator import keep_memory
from ..torch_bridge.server.config import serve_config
from ..torch_bridge.server.loaded_model import LoadedModel
from ..torch_bridge.server.priority_lock import PriorityLock
from . import climbers

DATA = Path(os.environ.get("INNERWALK_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SQUEEZENET = f"squeezenet1_0={DATA}/weights/squeezenet1_0_imagenet.safetensors"
MOBILENET = f"mobilenet_v2={DATA}/weights/mobilenet_v2_imagenet.safetensors"
LUCENT = {"features.5.expand3x3": 2.5, "features.12.expand3x3": 1.5}
"""By layer: how many times as fast at least."""
CASES = (
    (SQUEEZENET, "features.5.expand3x3"), (SQUEEZENET, "features.12.expand3x3"),
    (MOBILENET, "features.3.conv.3"), (MOBILENET, "features.17.conv.3"),
)  # fmt: skip
"""An early block, and the last."""
RESNET = ("layer1.2.bn3", "layer3.5.bn3", "layer4.2.bn3")
SHARE = 1 / 8
BATCH, STEPS, MARGIN, ROUNDS, TIMED = 8, 512, 12, 3, 3
THEIRS = 200
"""Steps of DeepVisionVR."""


def measure() -> dict[str, Any]:
    """Rows by peer and layer."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_memory()
    warnings.simplefilter("ignore")  # torch-lucent is of 2021
    if import_torchvision() == "absent":
        return {"NOT RUN": "torchvision isn't there"}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        found |= _beside_lucent(Path(folder))
    for network, layer in CASES:
        case = f"{network.partition('=')[0]} {layer}, objective of DeepVisionVR's {THEIRS} steps"
        found[case] = _beside_deepvisionvr(network, layer) if DATA.is_dir() else f"NOT RUN: {DATA} isn't there"
    return found | _resnet()


def _beside_lucent(folder: Path) -> dict[str, Any]:
    why_not = climbers.fetch_lucent(folder)
    if why_not:
        return {"torch-lucent": f"NOT RUN: it can't be had ({why_not})"}
    network = SQUEEZENET if DATA.is_dir() else "squeezenet1_0"
    return {f"torch-lucent, squeezenet1_0 {layer}": _lucent(network, layer) for layer in LUCENT}


def _lucent(network: str, layer: str) -> dict[str, float]:
    """The same transformations: in one affine map, with its canvas of 236 pixels, and with the network's own 224."""
    work = work_of(network, layer)
    other = climbers.lucent(work.model, layer, work.channels, work.picture.shape[2])

    def own(margin: int) -> Callable[[int], Any]:
        climbing = MaximisationRun(work, MaximisationParameters(preset="fourier2017", steps=TIMED + 1), layer)
        assert climbing.preset.transform is not None
        climbing.preset = replace(climbing.preset, transform=replace(climbing.preset.transform, margin=margin))
        return partial(_run, climbing)

    theirs, wide, ours = _in_turns([other, own(MARGIN), own(0)])
    return {
        "lucent s": theirs * STEPS,
        "ours s": ours * STEPS,
        "times as fast": theirs / ours,
        "on its canvas": theirs / wide,
        "budget": LUCENT[layer],
    }


def _in_turns(runs: list[Callable[[int], Any]]) -> list[float]:
    """CPU seconds a step of each: the median of some rounds, without what a first step costs."""
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for run, own in zip(runs, found, strict=True):
            spent = [_spent(run, 1), _spent(run, 1 + TIMED)]
            own.append((spent[1] - spent[0]) / TIMED)
    return [float(np.median(own)) for own in found]


def _spent(run: Callable[[int], Any], steps: int) -> float:
    start = time.process_time()
    run(steps)
    return time.process_time() - start


def work_of(network: str, layer: str) -> MethodContext:
    """What a method is given, about eight channels of a layer."""
    [(name, spec)] = serve_config([network]).networks.items()
    live = LoadedModel(name, spec, torch.device("cpu"), PriorityLock())
    live.record(live.read(live.default_sources), (), lambda maps: None)
    count = live.run_context.network.layer(layer).map_shape[0]
    return live.method_context(live.run_context, [layer], None, range(0, count, count // BATCH)[:BATCH])


def _run(climbing: MaximisationRun, steps: int) -> None:
    """So many steps of the first batch, as a job has them."""
    batch = next(climbing.batches())
    for done in climbing.ascent(batch).steps():
        if done == steps:
            return


def _beside_deepvisionvr(network: str, layer: str) -> dict[str, float]:
    """What its preset reaches, and when the default has reached that; pictures as they are kept, in 256 levels."""
    work = work_of(network, layer)
    size = tuple(work.picture.shape[2:])
    loop = climbers.deepvisionvr(work.model, layer, work.channels, (size[0], size[1]))
    before = _in_turns([loop])[0]
    goal = _reached(MaximisationRun(work, MaximisationParameters(preset="deepvisionvr"), layer))[-1][2]
    curve = _reached(MaximisationRun(work, MaximisationParameters(), layer))
    seconds = (before + _in_turns([loop])[0]) / 2  # before and after: the machine isn't as fast all the time
    ours = next((spent for _, spent, value in curve if value >= goal), float("inf"))
    return {
        "reached": goal,
        "its s": seconds * THEIRS,
        "default s": ours,
        "share of its time": ours / (seconds * THEIRS),
        "budget": SHARE,
        "default reaches": curve[-1][2],
        "in s": curve[-1][1],
    }


def _reached(climbing: MaximisationRun) -> list[tuple[int, float, float]]:
    """(steps, CPU seconds so far, mean objective of the plain pictures); what looking at these costs is left out."""
    (batch,) = climbing.batches()
    found, spent, ascents = [], 0.0, climbing.ascent(batch)
    look = climbing.score_function(climbing.base_objective(batch))
    steps, last, start = ascents.steps(), 0, time.process_time()
    for done in steps:
        if done == last:
            continue
        spent += time.process_time() - start
        if done % 2 == 0 or done == climbing.steps_each:
            found.append((done, spent, float(_plain(ascents.shares(), look))))
        last, start = done, time.process_time()
    return found


def _plain(shares: Tensor, look: Callable[[Tensor, list[int]], Tensor]) -> Tensor:
    with torch.no_grad():
        return look((shares.clamp(0, 1) * 255).round() / 255, list(range(len(shares)))).mean()


def _resnet() -> dict[str, Any]:
    """Steps a second of eight channels."""
    rows: dict[str, Any] = {}
    for layer in RESNET:
        work = work_of("resnet50", layer)
        loop = climbers.deepvisionvr(work.model, layer, work.channels, (224, 224))
        climbing = MaximisationRun(work, MaximisationParameters(steps=TIMED + 1), layer)
        theirs, ours = _in_turns([loop, partial(_run, climbing)])
        rows[f"resnet50 {layer}, steps a second"] = {
            "DeepVisionVR's loop": 1 / theirs,
            "default": 1 / ours,
            "times as fast": theirs / ours,
        }
    return rows
