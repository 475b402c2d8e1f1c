"""What is inverted: a layer's maps, changed as a method's parameters want it. And what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..inputs.pixels import Pixels
from ..inverters.distances import Yardstick
from ..inverters.perturbations import FEATURES, Features, keep_only, perturbed
from ..probing.partial_forward import PartialForward
from ..recording import Maps
from ..recording.errors import InputError, ModelError
from .method import MethodContext, parameter
from .picture_maps import mosaic, picture_maps


@dataclass(frozen=True)
class InversionParameters:
    """What is kept of a layer's maps; parameters of every method that inverts them."""

    features: Features = parameter("plain", FEATURES)
    importance: Literal["size", "gradient"] = parameter(
        "size", "What drop_least and drop_top go by: the value's size, or what it adds to the strongest class"
    )
    seed: int = parameter(0, "Of everything random", 0, 2**31 - 1)


class InversionTarget(NamedTuple):
    """Maps to invert."""

    maps: Tensor
    """(1, C, H, W), 0 in channels that aren't asked about."""
    channels: tuple[int, ...]
    """Those that count."""


def find_inversion_target(work: MethodContext, reach: PartialForward, layer: str, kept: InversionParameters) -> InversionTarget:
    """The layer's maps for the input that is looked at, without history. Raises InputError, ModelError."""
    channels = work.chosen(layer)
    with torch.no_grad():
        maps = reach(work.arguments).maps[layer][:1].float()
    importance = _importance(work, layer) if _by_gradient(kept) else None
    random = torch.Generator().manual_seed(kept.seed)
    maps = keep_only(maps, channels)
    if importance is not None:
        importance = keep_only(importance, channels)
    maps = perturbed(maps, kept.features, random, importance)
    if not maps.isfinite().all():
        raise ModelError(f"layer {layer} has values for this input that are no numbers; they can't be inverted")
    if not maps.any():
        raise InputError(f"layer {layer} is 0 everywhere for this input; there is nothing to invert")
    return InversionTarget(maps, channels)


def _by_gradient(kept: InversionParameters) -> bool:
    return kept.importance == "gradient" and kept.features in ("drop_least", "drop_top")


def _importance(work: MethodContext, layer: str) -> Tensor:
    """(1, C, H, W): |gradient of the strongest class's score x value|."""
    with torch.enable_grad():
        picture = work.picture.detach().clone().requires_grad_()
        reached = PartialForward(work.model, [layer], work.arguments)(work.given(picture), whole=True)
        output = reached.output
        if output is None or not output.requires_grad or layer not in reached.edges:
            raise ModelError(f"the network's answer has no gradient at layer {layer}; importance 'size' needs none")
        gradient = reached.gradients(output.flatten(1)[0].max())[layer][:1]
    return (gradient * reached.maps[layer][:1]).abs().detach().float()


def inversion_maps(
    work: MethodContext, layer: str, method: str, pixels: Pixels, shares: Tensor, errors: Tensor, scale: Yardstick
) -> Maps:  # fmt: skip
    """One picture for the whole layer: reconstructions (N, C, H, W), shares, side by side, and how far they are off.

    errors: (N,), of their features. The number of the one channel is the mean picture error.
    """
    pictures = pixels.shown(shares)
    off = float(scale.error(pixels.values(shares).float(), work.picture.float()).mean())
    label = f"feature error {float(errors.mean()):.2g}, picture error {off:.2g} ({scale.said} = 1)"
    extras = {"values": np.array([off], np.float32)}
    if len(pictures) > 1:
        columns = int(np.ceil(np.sqrt(len(pictures))))
        extras["samples"] = np.array([-(-len(pictures) // columns), columns], np.int32)
    return picture_maps(layer, method, {0: mosaic(pictures)}, 1, (label,), extras)
