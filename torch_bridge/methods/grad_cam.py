"""Grad-CAM: which positions of a layer support a class, ReLU(sum_k mean(dS_c/dA_k) A_k).

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization". For any layer
of any differentiable network; negative values, which count against it, are set to 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..capture.values.map_layout import MapLayout
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.input_gradients import NO_GRADIENT
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.run_limits import full_precision
from ..predictions.classes import PREDICTED, ScoredClass, class_scores, find_class
from ..probing.partial_forward import PartialForward, PartialResult
from ..recording import MapFrame, Maps, pack
from ..recording.errors import InputError, ModelError


@dataclass(frozen=True)
class Parameters:
    """The class, and how its maps are drawn."""

    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    smooth: bool = parameter(True, "Interpolate maps to the picture's size; off: show them in the layer's resolution")


def grad_cam(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Computes one map for each layer, from its selected channels, in a single backward pass.

    Maps: (1, H, W) in units of the score, in the size of the input if smooth, else of the layer; those of one window
    or frame of the input always of the layer. Extra "values": (1,) float32, the class's probability. Layers without
    height and width are left out. Raises InputError if no layer is left or the network has no classes, ModelError if
    it has no gradients.
    """
    layers = [id for id in context.layers if max(context.network.layer(id).map_shape[1:]) > 1]
    if not layers:
        raise InputError(f"{', '.join(context.layers)}: channels that are single numbers have no positions to show")
    yield Step(0.0, "running the network")
    target, result, gradients = _run(context, layers, parameters.of_class)
    yield Step(0.5, f"gradients of {target.name}")
    size = tuple(context.picture.shape[2:]) if parameters.smooth else None
    for number, id in enumerate(layers, 1):
        heat = compute_heat(result.maps[id].detach()[0], gradients[id][0], context.selected_channels(id))
        maps = _maps(result.layouts[id], id, heat, target, size)
        yield Step(0.5 + number / len(layers) / 2, f"{id}: for {target.name}", (maps,))


def _run(
    context: MethodContext, layers: list[str], of_class: int
) -> tuple[ScoredClass, PartialResult, dict[str, Tensor]]:
    forward = PartialForward(context.model, layers, context.arguments, context.positions)
    with torch.enable_grad(), full_precision(context.device):
        picture = context.picture.detach().clone().requires_grad_()
        result = forward(context.arguments_with(picture), to_output=True)
        scores = class_scores(result.output)
        target = find_class(scores, of_class, context.class_names)
        lost = [id for id in layers if id not in result.edges]
        if lost or not scores.requires_grad:
            raise ModelError(NO_GRADIENT.format(lost[0] if lost else "the answer"))
        return target, result, result.gradients(scores[0, target.index])


def compute_heat(maps: Tensor, gradients: Tensor, channels: tuple[int, ...]) -> Tensor:
    """(K, h, w) maps and (K, h, w) gradients of a score -> (h, w), the Grad-CAM of these channels."""
    chosen = list(channels)
    weights = gradients[chosen].mean((1, 2))
    return torch.einsum("k,khw->hw", weights, maps[chosen]).relu()


def _maps(layout: MapLayout, id: str, heat: Tensor, target: ScoredClass, size: tuple[int, ...] | None) -> Maps:
    planes, place = heat[None].float(), layout.place()
    if size is not None and not place:  # a window doesn't lie over the whole picture
        planes = torch.nn.functional.interpolate(planes[None], size, mode="bilinear", align_corners=False)[0]
    values = np.array([target.probability], np.float32)
    texels = pack(planes.cpu().numpy())
    frame: MapFrame = "layer" if place else "input"
    return Maps(id, GRAD_CAM.name, texels, 1, False, frame, (target.name,), {"values": values}, **place)


GRAD_CAM = Method(
    "grad_cam", "Grad-CAM", "Which positions of a layer speak for a class, in any network.", grad_cam, Parameters
)
