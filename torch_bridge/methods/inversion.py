"""Inversion: the picture x that reproduces a layer's maps, argmin_x |A(x) - A0|^2 / |A0|^2 + R(x), starting from noise.

Mahendran and Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them". A0 are the maps of the current
input and R is low for natural pictures, so the result shows what the layer still knows of the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from ..inputs.pixels import Pixels
from ..inverters.distances import PictureErrorScale
from ..inverters.gradient_descent import InversionDescent, InversionObjective, Optimiser, start_noise
from ..method_support.inversion_target import (
    InversionParameters,
    InversionTarget,
    find_inversion_target,
    inversion_maps,
)
from ..method_support.method import Method, MethodContext, Step, parameter
from ..probing.partial_forward import PartialForward
from ..recording import Maps

PARTIAL_RESULTS = 10
"""How many times a layer's picture is shown while it is computed."""


@dataclass(frozen=True)
class Parameters(InversionParameters):
    """Which values are kept, and how the picture is found."""

    way: Optimiser = parameter(
        "adam", "Optimiser: Adam within valid pixels, or the slower gradient descent of the authors"
    )
    steps: int = parameter(0, "Steps for each layer; 0: the optimiser's number, 400 or 2,100", 0, 100_000)
    smoothness: float = parameter(0.1, "How strongly smooth pictures are preferred; the authors use 1 to 100", 0.0, 1e6)
    repeats: int = parameter(1, "Pictures from different noise, side by side", 1, 16)


def inversion(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Inverts layer after layer. Maps: one picture (H, W, 3) sRGB 0..1 for the whole layer.

    Extra "values": (1,) float32, the picture error, 1 for two unlike pictures. Raises InputError and ModelError if a
    layer can't be inverted.
    """
    scale, pixels = PictureErrorScale(context, parameters.seed), Pixels(context.preprocessing, context.picture)
    for message in scale.measure():
        yield Step(0.0, message)
    count = len(context.layers)
    for number, layer in enumerate(context.layers):
        forward = PartialForward(context.model, [layer], context.arguments, context.positions)
        target = find_inversion_target(context, forward, layer, parameters)
        descent = _start_descent(context, forward, layer, target, pixels, parameters)
        for done in descent.steps():
            error = float(descent.errors.min())
            message = f"{layer}, step {done} of {descent.step_count}: feature error {error:.2g}"
            is_due = done % max(descent.step_count // PARTIAL_RESULTS, 1) == 0 and done < descent.step_count
            maps = (_maps(context, layer, descent, scale, target.note),) if is_due else ()
            yield Step((number + done / descent.step_count) / count, message, maps)
        yield Step((number + 1) / count, f"{layer} is inverted", (_maps(context, layer, descent, scale, target.note),))


def _start_descent(
    context: MethodContext,
    forward: PartialForward,
    layer: str,
    target: InversionTarget,
    pixels: Pixels,
    parameters: Parameters,
) -> InversionDescent:
    objective = InversionObjective(
        forward,
        context.arguments_with,
        layer,
        target.maps,
        target.channels,
        pixels,
        parameters.smoothness,
        parameters.way,
    )
    start = [start_noise(pixels, parameters.seed + k, context.device) for k in range(parameters.repeats)]
    return InversionDescent(objective, torch.cat(start), parameters.steps)


def _maps(context: MethodContext, layer: str, descent: InversionDescent, scale: PictureErrorScale, note: str) -> Maps:
    pixels, place = descent.objective.pixels, descent.objective.forward.layouts[layer].place()
    maps = inversion_maps(context, layer, INVERSION.name, pixels, descent.brightness, descent.errors, scale, note)
    return replace(maps, **place)


INVERSION = Method(
    "inversion",
    "Inversion",
    "A picture with the layer's maps, found from noise: what the layer still knows of the input.",
    inversion,
    Parameters,
)
