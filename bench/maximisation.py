"""Activation maximisation compared with torch-lucent and DeepVisionVR's loop: CPU seconds of one thread.

The implementations alternate for a few timed steps each, which are scaled up; four channels are maximised at a time.
Real weights are read from INNERWALK_DATA.
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
from . import reference_maximisation

DATA = Path(os.environ.get("INNERWALK_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SQUEEZENET = f"squeezenet1_0={DATA}/weights/squeezenet1_0_imagenet.safetensors"
MOBILENET = f"mobilenet_v2={DATA}/weights/mobilenet_v2_imagenet.safetensors"
LUCENT = {"features.5.expand3x3": 2.5, "features.12.expand3x3": 1.5}
"""Budget by layer: at least so many times as fast as torch-lucent."""
CASES = (
    (SQUEEZENET, "features.5.expand3x3"), (SQUEEZENET, "features.12.expand3x3"),
    (MOBILENET, "features.3.conv.3"), (MOBILENET, "features.17.conv.3"),
)  # fmt: skip
"""An early and the last block of each network."""
RESNET = ("layer1.2.bn3", "layer4.2.bn3")
SHARE = 1 / 8
BATCH, STEPS, MARGIN, ROUNDS, TIMED = 4, 512, 12, 3, 3
SCORED = 4
"""Steps from one point of the default preset's curve to the next."""
THEIRS = 200
"""Default number of steps of DeepVisionVR."""


def measure() -> dict[str, Any]:
    """Returns a row for each reference implementation and layer."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_memory()
    warnings.simplefilter("ignore")  # torch-lucent is of 2021
    if import_torchvision() == "absent":
        return {"NOT RUN": "torchvision isn't there"}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        found |= _compare_lucent(Path(folder))
    for network, layer in CASES:
        case = f"{network.partition('=')[0]} {layer}, objective of DeepVisionVR's {THEIRS} steps"
        found[case] = _compare_deepvisionvr(network, layer) if DATA.is_dir() else f"NOT RUN: {DATA} isn't there"
    return found | _resnet()


def _compare_lucent(folder: Path) -> dict[str, Any]:
    reason = reference_maximisation.fetch_lucent(folder)
    if reason:
        return {"torch-lucent": f"NOT RUN: it can't be installed ({reason})"}
    network = SQUEEZENET if DATA.is_dir() else "squeezenet1_0"
    return {f"torch-lucent, squeezenet1_0 {layer}": _lucent(network, layer) for layer in LUCENT}


def _lucent(network: str, layer: str) -> dict[str, float]:
    """Times torch-lucent and our run with the same transformations, on its canvas of 236 pixels and on 224 pixels."""
    context = make_context(network, layer)
    other = reference_maximisation.lucent(context.model, layer, context.channels, context.picture.shape[2])

    def own(margin: int) -> Callable[[int], Any]:
        run = MaximisationRun(context, MaximisationParameters(preset="fourier2017", steps=TIMED + 1), layer)
        assert run.preset.transform is not None
        run.preset = replace(run.preset, transform=replace(run.preset.transform, margin=margin))
        return partial(_run, run)

    theirs, wide, ours = _in_turns([other, own(MARGIN), own(0)])
    return {
        "lucent s": theirs * STEPS,
        "ours s": ours * STEPS,
        "times as fast": theirs / ours,
        "on its canvas": theirs / wide,
        "budget": LUCENT[layer],
    }


def _in_turns(runs: list[Callable[[int], Any]]) -> list[float]:
    """Returns CPU seconds per step of each run: the median of ROUNDS, without the cost of the first step."""
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


def make_context(network: str, layer: str) -> MethodContext:
    """Returns the context of a method on BATCH channels of a layer."""
    [(name, spec)] = serve_config([network]).networks.items()
    live = LoadedModel(name, spec, torch.device("cpu"), PriorityLock())
    live.record(live.read(live.default_sources), (), lambda maps: None)
    count = live.run_context.network.layer(layer).map_shape[0]
    return live.method_context(live.run_context, [layer], None, range(0, count, count // BATCH)[:BATCH])


def _run(run: MaximisationRun, steps: int) -> None:
    """Runs `steps` steps of the first batch, as a job does."""
    batch = next(run.batches())
    for done in run.ascent(batch).steps():
        if done == steps:
            return


def _compare_deepvisionvr(network: str, layer: str) -> dict[str, float]:
    """Returns the objective that DeepVisionVR's preset reaches, and the time until the default preset reaches it."""
    context = make_context(network, layer)
    size = tuple(context.picture.shape[2:])
    loop = reference_maximisation.deepvisionvr(context.model, layer, context.channels, (size[0], size[1]))
    before = _in_turns([loop])[0]
    [(_, _, goal)] = _objective_curve(MaximisationRun(context, MaximisationParameters(preset="deepvisionvr"), layer))
    curve = _objective_curve(MaximisationRun(context, MaximisationParameters(), layer), SCORED)
    seconds = (before + _in_turns([loop])[0]) / 2  # timed before and after, because the speed of the machine varies
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


def _objective_curve(run: MaximisationRun, every: int = 0) -> list[tuple[int, float, float]]:
    """Returns (steps, CPU seconds so far, mean objective in 256 levels), without the time for scoring.

    every: steps between scores; 0: only the last step is scored.
    """
    (batch,) = run.batches()
    found, spent, ascents = [], 0.0, run.ascent(batch)
    score = run.score_function(run.base_objective(batch))
    steps, last, start = ascents.steps(), 0, time.process_time()
    for done in steps:
        if done == last:
            continue
        spent += time.process_time() - start
        if done == run.steps_each or (every and done % every == 0):
            found.append((done, spent, float(_score_pictures(ascents.brightness(), score))))
        last, start = done, time.process_time()
    return found


def _score_pictures(brightness: Tensor, score: Callable[[Tensor, list[int]], Tensor]) -> Tensor:
    with torch.no_grad():
        return score((brightness.clamp(0, 1) * 255).round() / 255, list(range(len(brightness)))).mean()


def _resnet() -> dict[str, Any]:
    """Returns steps a second of DeepVisionVR's loop and of ours on ResNet-50."""
    rows: dict[str, Any] = {}
    for layer in RESNET:
        context = make_context("resnet50", layer)
        loop = reference_maximisation.deepvisionvr(context.model, layer, context.channels, (224, 224))
        run = MaximisationRun(context, MaximisationParameters(steps=TIMED + 1), layer)
        theirs, ours = _in_turns([loop, partial(_run, run)])
        rows[f"resnet50 {layer}, steps a second"] = {
            "DeepVisionVR's loop": 1 / theirs,
            "default": 1 / ours,
            "times as fast": theirs / ours,
        }
    return rows
