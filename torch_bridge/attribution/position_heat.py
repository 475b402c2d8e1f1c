"""Which positions of layers speak for a class, from maps and gradients of its score: for Grad-CAM and Layer-CAM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..capture.values.map_layout import MapLayout
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.input_gradients import NO_GRADIENT
from ..method_support.method import ZERO, MethodContext, Step, independence_note, parameter
from ..method_support.run_limits import full_precision
from ..predictions.classes import PREDICTED, ScoredClass, class_scores, find_class
from ..probing.partial_forward import PartialForward, PartialResult
from ..recording import Maps, pack
from ..recording.errors import InputError, ModelError
from .explained_maps import enlarge

HeatFunction = Callable[[Tensor, Tensor], Tensor]
"""(K, h, w) maps and (K, h, w) gradients of a score -> (h, w) heat, 0 or more."""


@dataclass(frozen=True)
class HeatParameters:
    """The class, and how its maps are drawn."""

    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    smooth: bool = parameter(True, "Interpolate maps to the picture's size; off: show them in the layer's resolution")


def position_heat(
    context: MethodContext, parameters: HeatParameters, method: str, compute: HeatFunction
) -> Iterator[Step]:
    """Computes one map for each layer, from its selected channels, in a single backward pass.

    Maps: (1, H, W) in units of the score, in the size of the input if smooth, else of the layer; those of one window
    or frame of the input always of the layer; of tokens of a picture on their grid, of a plain sequence of tokens
    (1, 1, tokens). Extra "values": (1,) float32, the class's probability. Layers without height and width are left
    out. Raises InputError if no layer is left or the network has no classes, ModelError if it has no gradients.
    """
    layers = [id for id in context.layers if max(context.network.layer(id).map_shape[1:]) > 1]
    if not layers:
        raise InputError(f"{', '.join(context.layers)}: channels that are single numbers have no positions to show")
    yield Step(0.0, "running the network")
    target, result, gradients = _run(context, layers, parameters.of_class)
    yield Step(0.5, f"gradients of {target.name}")
    size = tuple(context.picture.shape[2:]) if parameters.smooth else None
    for number, id in enumerate(layers, 1):
        chosen, layout = list(context.selected_channels(id)), result.layouts[id]
        values, slopes = result.maps[id].detach()[0, chosen], gradients[id][0, chosen]
        if layout.is_sequence:  # (1, tokens, features): features are what maps of pictures have as channels
            values, slopes = values.permute(2, 0, 1), slopes.permute(2, 0, 1)
        heat, note = compute(values, slopes).float(), ""
        if not heat.any():
            is_against = f"{ZERO}: no position speaks for {target.name}"
            note = is_against if slopes.any() else independence_note(target.name, layout)
        maps = _maps(layout, id, method, heat, target, size, note)
        yield Step(0.5 + number / len(layers) / 2, f"{id}: for {target.name}", (maps,))


def _run(
    context: MethodContext, layers: list[str], of_class: int
) -> tuple[ScoredClass, PartialResult, dict[str, Tensor]]:
    """Returns a class, the maps of some layers, and the gradients of its score with respect to them, (N, C, h, w)."""
    forward = PartialForward(context.model, layers, context.arguments, context.positions)
    with torch.enable_grad(), full_precision(context.device):
        picture = context.picture.detach().clone().requires_grad_()
        result = forward(context.arguments_with(picture), to_output=True)
        scores = class_scores(result.output)
        target = find_class(scores, of_class, context.class_names, independent=result.independent)
        lost = [id for id in layers if id not in result.edges]
        if lost or not scores.requires_grad:
            raise ModelError(NO_GRADIENT.format(lost[0] if lost else "the answer"))
        return target, result, result.gradients(scores[0, target.index])


def _maps(
    layout: MapLayout, id: str, method: str, heat: Tensor, target: ScoredClass, size: tuple[int, ...] | None, note: str
) -> Maps:
    place = layout.place()
    is_over_input = not (place or layout.is_sequence)  # a window doesn't lie over the whole picture
    plane = enlarge(heat, size) if size is not None and is_over_input else heat
    return Maps(
        id,
        method,
        pack(plane[None].cpu().numpy()),
        1,
        frame="input" if is_over_input else "layer",
        labels=(target.name,),
        extras={"values": np.array([target.probability], np.float32)},
        note=note,
        **place,
    )
