"""The maps that an inversion must reproduce, changed as a method's parameters say, and the maps of its result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..inputs.pixels import Pixels
from ..inverters.distances import PictureErrorScale
from ..inverters.perturbations import HALF_OF_HELP, PERTURBATION_HELP, HalfOf, Perturbation, keep_only, perturb_maps
from ..probing.partial_forward import PartialForward
from ..recording import Maps, near_square
from ..recording.errors import InputError, ModelError
from .method import MethodContext, parameter
from .picture_maps import mosaic, picture_maps


@dataclass(frozen=True)
class InversionParameters:
    """Which values of a layer's maps are kept; parameters of every method that inverts maps."""

    features: Perturbation = parameter("plain", PERTURBATION_HELP)
    importance: Literal["size", "gradient"] = parameter(
        "size", "What drop_least and drop_top rank by: a value's size, or its part in the highest class score"
    )
    half_of: HalfOf = parameter("all", HALF_OF_HELP)
    seed: int = parameter(0, "Random seed", 0, 2**31 - 1)


class InversionTarget(NamedTuple):
    """Maps to reproduce."""

    maps: Tensor
    """(1, C, H, W) float32, 0 in channels that are not selected."""
    channels: tuple[int, ...]
    """The selected channels, which alone count."""
    note: str = ""
    """Says so if the maps are unchanged although some were to be dropped."""


def find_inversion_target(
    context: MethodContext, forward: PartialForward, layer: str, parameters: InversionParameters
) -> InversionTarget:
    """Returns the layer's maps for the current input, without gradients. Raises InputError, ModelError."""
    channels = context.selected_channels(layer)
    with torch.no_grad():
        maps = forward(context.arguments).maps[layer][:1].float()
    importance = _importance(context, layer) if _ranks_by_gradient(parameters) else None
    random = torch.Generator().manual_seed(parameters.seed)
    maps = keep_only(maps, channels)
    if importance is not None:
        importance = keep_only(importance, channels)
    original, maps = maps, perturb_maps(maps, parameters.features, random, importance, parameters.half_of)
    if not maps.isfinite().all():
        raise ModelError(f"layer {layer} has NaN or infinite values for this input; they can't be inverted")
    if original.any() and not maps.any():
        raise InputError(
            f"{parameters.features} leaves nothing of layer {layer}, half of which is 0; half_of=nonzero does"
        )
    if not maps.any():
        raise InputError(f"layer {layer} is 0 everywhere for this input; there is nothing to invert")
    unchanged = parameters.features == "drop_least" and torch.equal(maps, original)
    zeros = 1 - float(original[:, list(channels)].count_nonzero()) / original[:, list(channels)].numel()
    note = (
        f"nothing dropped: {zeros:.0%} of the values are 0 already; half_of=nonzero drops others" if unchanged else ""
    )
    return InversionTarget(maps, channels, note)


def _ranks_by_gradient(parameters: InversionParameters) -> bool:
    return parameters.importance == "gradient" and parameters.features in ("drop_least", "drop_top")


def _importance(context: MethodContext, layer: str) -> Tensor:
    """(1, C, H, W) float32: |gradient of the highest class score x value|."""
    with torch.enable_grad():
        picture = context.picture.detach().clone().requires_grad_()
        forward = PartialForward(context.model, [layer], context.arguments, context.positions)
        result = forward(context.arguments_with(picture), to_output=True)
        output = result.output
        if output is None or not output.requires_grad or layer not in result.edges:
            raise ModelError(f"the network's answer has no gradient at layer {layer}; importance 'size' needs none")
        gradient = result.gradients(output.flatten(1)[0].max())[layer][:1]
    return (gradient * result.maps[layer][:1]).abs().detach().float()


def inversion_maps(
    context: MethodContext,
    layer: str,
    method: str,
    pixels: Pixels,
    brightness: Tensor,
    errors: Tensor,
    scale: PictureErrorScale,
    note: str,
) -> Maps:
    """Returns one picture for the whole layer: reconstructions side by side, with their errors in the label.

    brightness: (N, C, H, W) of the reconstructions, 0..1. errors: (N,) relative errors of their features. Extra
    "values": (1,) float32, the mean picture error. note: that of the target.
    """
    pictures = pixels.to_srgb(brightness)
    error = float(scale.error(pixels.to_network(brightness).float(), context.picture.float()).mean())
    label = f"feature error {float(errors.mean()):.2g}, picture error {error:.2g} ({scale.description} = 1)"
    extras = {"values": np.array([error], np.float32)}
    if len(pictures) > 1:
        extras["samples"] = np.array(near_square(len(pictures)), np.int32)
    return replace(picture_maps(layer, method, {0: mosaic(pictures)}, 1, (), (label,), extras), note=note)
