"""The kernels of convolutions as maps: method "weights", a tile for each output channel.

    3 input channels    (out, kh, kw, 3) colour: mid grey is 0, the layer's largest |weight| reaches black or white
    otherwise           (out, rows · kh, columns · kw): the kernels of all inputs side by side, on a near-square grid

Input i lies in row i // columns, column i % columns; unused cells are 0. A 1-D kernel has kh = 1, the slices of a 3-D
kernel are stacked vertically. Colour tiles are divided by a scale, which is stored in `extras["scale"]`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from ...recording import Maps
from ..layer_paths import modules_by_path
from ..trace.provenance import TraceStep
from .map_layout import to_texels

WEIGHTS = "weights"


def step_kernels(steps: Iterable[TraceStep]) -> Iterator[Maps]:
    """Yields the kernels of the steps that are convolution modules; call it in `evaluation_mode`."""
    for step in steps:
        if step.family == "conv" and step.module is not None:
            yield from _module_kernels(step.id, step.module)


def model_kernels(model: nn.Module, layers: Iterable[str], std: Sequence[float] = (1.0,)) -> Iterator[Maps]:
    """Yields the kernels of those layers that are convolutions; all calls of a module have the same kernels.

    Call it in `evaluation_mode`.

    std: divisor of the preprocessing, by input channel; colours then are weights of pixels 0..1.
    """
    modules = modules_by_path(model)
    for id in layers:
        module = modules.get(id.split("@")[0])
        if module is not None:
            yield from _module_kernels(id, module, std)


def used_weight(module: nn.Module) -> torch.Tensor | None:
    """Returns the weight (any shape) that a run uses; call it in `evaluation_mode`, in which no weight changes.

    A weight may be computed from others: by parametrisations when it is read, by the older `spectral_norm`,
    `weight_norm` and pruning in a hook before each call. None if the module has no weight.
    """
    for hook in list(module._forward_pre_hooks.values()):
        if type(hook).__module__.startswith("torch.nn.utils."):
            hook(module, ())
    weight = getattr(module, "weight", None)
    return weight if isinstance(weight, torch.Tensor) and not is_lazy(weight) else None


def _module_kernels(id: str, module: nn.Module, std: Sequence[float] = (1.0,)) -> Iterator[Maps]:
    weight = used_weight(module)
    if weight is not None and weight.dim() > 2:
        kernels = weight.detach().float().cpu()
        if isinstance(module, nn.modules.conv._ConvTransposeNd):
            kernels = _by_output(kernels, module.groups)
        if kernels.shape[1] == 3:
            kernels = kernels / torch.tensor(std).reshape(1, -1, *[1] * (kernels.dim() - 2))
        yield _maps(id, kernels)


def _by_output(kernels: torch.Tensor, groups: int) -> torch.Tensor:
    """Turns the kernels (in, out / groups, ...) of a transposed convolution into (out, in / groups, ...)."""
    return kernels.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)


def _maps(id: str, kernels: torch.Tensor) -> Maps:
    """Arranges kernels (out, in, *space) float32 as maps."""
    outputs, inputs, *space = kernels.shape
    height, width = math.prod(space[:-1]), space[-1]
    kernels = kernels.reshape(outputs, inputs, height, width)
    if inputs == 3:
        return _colour(id, kernels)
    columns = math.ceil(math.sqrt(inputs * height / width))
    rows = -(-inputs // columns)
    cells = torch.zeros(outputs, rows * columns, height, width)
    cells[:, :inputs] = kernels
    grid = cells.reshape(outputs, rows, columns, height, width).transpose(2, 3)
    return Maps(id, WEIGHTS, to_texels(grid.reshape(outputs, rows * height, columns * width)), outputs)


def _colour(id: str, kernels: torch.Tensor) -> Maps:
    finite = torch.nan_to_num(kernels, 0.0, 0.0, 0.0)
    scale = float(finite.abs().max()) or 1.0
    texels = np.ones((len(kernels), *kernels.shape[2:], 4), np.float32)
    texels[..., :3] = (0.5 + finite / (2 * scale)).permute(0, 2, 3, 1).numpy()
    extras = {"scale": np.array([scale], np.float32)}
    return Maps(id, WEIGHTS, texels, len(kernels), colour=True, extras=extras)
