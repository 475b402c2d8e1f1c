"""Grad-CAM: which places of a layer speak for a class, in any layer of any network that has gradients.

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization": the maps of a
layer, each weighted with the mean of its gradient, are added; what is below 0 speaks for other classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..method_support.input_attribution import OF_CLASS
from ..method_support.input_gradients import NO_GRADIENT, full_precision
from ..method_support.method import Method, MethodContext, Step, parameter
from ..predictions.classes import PREDICTED, ScoredClass, class_scores, find_class
from ..probing.partial_forward import PartialForward, PartialResult
from ..recording import Maps, pack
from ..recording.errors import InputError, ModelError


@dataclass(frozen=True)
class Parameters:
    """Which class, and how its map is drawn."""

    of_class: int = parameter(PREDICTED, OF_CLASS, PREDICTED, 1_000_000)
    smooth: bool = parameter(True, "Enlarge maps to the picture's size, smoothly, or leave them as coarse as they are")


def grad_cam(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """One map a layer, of the channels that are asked about; all layers in one pass back.

    Layers without sides are left out. Raises InputError where no layer has any, or the network gives no classes;
    ModelError where it has no gradients.
    """
    layers = [id for id in work.layers if max(work.network.layer(id).map_shape[1:]) > 1]
    if not layers:
        raise InputError(f"{', '.join(work.layers)}: a layer whose channels are single numbers has no places to show")
    yield Step(0.0, "running the network")
    found, reached, gradients = _run(work, layers, parameters.of_class)
    yield Step(0.5, f"gradients of {found.name}")
    side = tuple(work.picture.shape[2:]) if parameters.smooth else None
    for number, id in enumerate(layers, 1):
        heat = grad_cam_of(reached.maps[id].detach()[0], gradients[id][0], work.chosen(id))
        yield Step(0.5 + number / len(layers) / 2, f"{id}: for {found.name}", (_maps(id, heat, found, side),))


def _run(work: MethodContext, layers: list[str], of_class: int) -> tuple[ScoredClass, PartialResult, dict[str, Tensor]]:
    reach = PartialForward(work.model, layers, work.arguments)
    with torch.enable_grad(), full_precision(work.device):
        reached = reach(work.given(work.picture.detach().clone().requires_grad_()), to_output=True)
        scores = class_scores(reached.output)
        found = find_class(scores, of_class, work.names)
        lost = [id for id in layers if id not in reached.edges]
        if lost or not scores.requires_grad:
            raise ModelError(NO_GRADIENT.format(lost[0] if lost else "the answer"))
        return found, reached, reached.gradients(scores[0, found.index])


def grad_cam_of(maps: Tensor, gradients: Tensor, channels: tuple[int, ...]) -> Tensor:
    """(h, w): maps and their gradients (K, h, w) -> the map of these channels."""
    chosen = list(channels)
    weights = gradients[chosen].mean((1, 2))
    return torch.einsum("k,khw->hw", weights, maps[chosen]).relu()


def _maps(id: str, heat: Tensor, found: ScoredClass, side: tuple[int, ...] | None) -> Maps:
    shown = heat[None].float()
    if side is not None:
        shown = torch.nn.functional.interpolate(shown[None], side, mode="bilinear", align_corners=False)[0]
    values = np.array([found.probability], np.float32)
    texels = pack(shown.cpu().numpy())
    return Maps(id, GRAD_CAM.name, texels, 1, frame="input", labels=(found.name,), extras={"values": values})


GRAD_CAM = Method(
    "grad_cam", "Grad-CAM", "Which places of a layer speak for a class, in any network.", grad_cam, Parameters
)
