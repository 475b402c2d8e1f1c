"""Grad-CAM: which positions of a layer support a class, ReLU(sum_k mean(dS_c/dA_k) A_k).

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization". For any layer
of any differentiable network; negative values, which count against it, are set to 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..attribution.position_heat import HeatParameters, position_heat
from ..method_support.method import Method, MethodContext, Step


def grad_cam(context: MethodContext, parameters: HeatParameters) -> Iterator[Step]:
    """Computes one map for each layer, from its selected channels; maps and errors as in `position_heat`."""
    yield from position_heat(context, parameters, GRAD_CAM.name, compute_heat)


def compute_heat(maps: Tensor, gradients: Tensor) -> Tensor:
    """(K, h, w) maps and (K, h, w) gradients of a score -> (h, w), their Grad-CAM."""
    return torch.einsum("k,khw->hw", gradients.mean((1, 2)), maps).relu()


GRAD_CAM = Method(
    "grad_cam", "Grad-CAM", "Which positions of a layer speak for a class, in any network.", grad_cam, HeatParameters
)
