"""Reference implementations of activation maximisation: torch-lucent and DeepVisionVR's loop.

torch-lucent is installed into a temporary folder. It imports IPython and scikit-learn, which aren't needed here: empty
modules replace them.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PACKAGES = ("torch-lucent==0.1.8", "kornia==0.4.1", "tqdm", "decorator")
EMPTY = ("IPython", "IPython.display", "sklearn", "sklearn.decomposition", "sklearn.decomposition.base")


def fetch_lucent(folder: Path) -> str:
    """Installs torch-lucent into a folder on sys.path. Returns the reason if it can't be installed, else ""."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return " ".join(done.stderr.split())[-200:]
    sys.path.insert(0, str(folder))
    for name in EMPTY:
        empty = sys.modules.setdefault(name, types.ModuleType(name))
        if "." in name:
            setattr(sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2], empty)
    sys.modules[EMPTY[-1]].BaseEstimator = object
    return ""


def lucent(model: nn.Module, layer: str, channels: Sequence[int], size: int) -> Callable[[int], Any]:
    """Returns a function of the number of steps that runs torch-lucent with its default picture, optimiser and
    transformations, one picture per channel of side `size`."""
    objectives, param, render = (
        importlib.import_module(f"lucent.optvis.{name}") for name in ("objectives", "param", "render")
    )
    parts = [objectives.channel(layer.replace(".", "_"), channel, batch=k) for k, channel in enumerate(channels)]

    def run(steps: int) -> Any:
        return render.render_vis(
            model,
            sum(parts[1:], parts[0]),
            lambda: param.image(size, batch=len(channels)),
            thresholds=(steps,),
            show_image=False,
            progress=False,
        )

    return run


def deepvisionvr(model: nn.Module, layer: str, channels: Sequence[int], size: tuple[int, int]) -> Callable[[int], None]:
    """Returns a function of the number of steps that reimplements Scripts/FeatureVisualizerRobust.py: each step runs
    the chain of transformations, the whole network forward and, down to the weights too, backward."""
    pictures = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0)).repeat(len(channels), 1, 1, 1)
    seen: list[Tensor] = []

    def step(values: Tensor, random: torch.Generator) -> Tensor:
        values = _transform(values, random, size).requires_grad_()
        model.zero_grad()
        seen.clear()
        model(values)
        (-seen[0][range(len(channels)), list(channels)].mean((1, 2)).sum()).backward()
        gradient = values.grad / (values.grad.square().sum((1, 2, 3), keepdim=True).sqrt() + 1e-6)
        return (values - 20.0 * gradient).detach()

    def run(steps: int) -> None:
        handle = model.get_submodule(layer).register_forward_hook(lambda module, args, output: seen.append(output))
        values, random = pictures, torch.Generator().manual_seed(0)
        try:
            for _ in range(steps):
                values = step(values, random)
        finally:
            handle.remove()
            model.zero_grad()

    return run


def _transform(values: Tensor, random: torch.Generator, size: tuple[int, int]) -> Tensor:
    from torchvision.transforms import functional as T

    def draw() -> float:
        return float(torch.rand(1, generator=random))

    values = F.pad(values, (10,) * 4, mode="replicate")
    if draw() < 0.3:
        values = T.rotate(values, 20 * draw() - 10)
    if draw() < 0.05:
        values = T.affine(values, 0, [0, 0], 1 + 0.05 * draw(), [0, 0], interpolation=T.InterpolationMode.BILINEAR)
    values = T.center_crop(T.gaussian_blur(values, [5, 5], [0.5, 0.5]), list(size))
    if draw() < 0.3:
        values = values.roll((int(11 * draw()) - 5, int(11 * draw()) - 5), (2, 3))
    mean, std = values.mean((1, 2, 3), keepdim=True), values.std((1, 2, 3), keepdim=True)
    return 0.95 * values + 0.05 * (values - mean) / std
