"""Layer-CAM: which positions of a layer support a class, ReLU(sum_k ReLU(dS_c/dA_k) A_k).

Jiang, Zhang, Hou, Cheng and Wei 2021, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization". Each
position has its own weights, so that unlike Grad-CAM it stays sharp in early layers.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..attribution.position_heat import HeatParameters, position_heat
from ..method_support.method import Method, MethodContext, Step


def layer_cam(context: MethodContext, parameters: HeatParameters) -> Iterator[Step]:
    """Computes one map for each layer, from its selected channels; maps and errors as in `position_heat`."""
    yield from position_heat(context, parameters, LAYER_CAM.name, compute_layer_heat)


def compute_layer_heat(maps: Tensor, gradients: Tensor) -> Tensor:
    """(K, h, w) maps and (K, h, w) gradients of a score -> (h, w), their Layer-CAM."""
    return torch.einsum("khw,khw->hw", gradients.relu(), maps).relu()


LAYER_CAM = Method(
    "layer_cam",
    "Layer-CAM",
    "Which positions of a layer speak for a class; sharper than Grad-CAM in early layers.",
    layer_cam,
    HeatParameters,
)
