"""Inversion: a picture whose maps at a layer are those of the input, found from noise; what the layer still knows.

Mahendran and Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them": the squared error of the
maps, as a share of their norm, and an energy that natural pictures have little of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ..inputs.pixels import Pixels
from ..inverters.distances import Yardstick
from ..inverters.gradient_descent import Descent, Goal, Way, noise
from ..method_support.inversion_target import InversionParameters, find_inversion_target, inversion_maps
from ..method_support.method import Method, MethodContext, Step, parameter
from ..probing.partial_forward import PartialForward
from ..recording import Maps

SHOWN = 10
"""How often a picture is shown while it comes."""


@dataclass(frozen=True)
class Parameters(InversionParameters):
    """What is kept, and how the picture is found."""

    way: Way = parameter("adam", "Adam within valid pixels, or the authors' slow descent")
    steps: int = parameter(0, "Steps for each layer; 0: as many as the way has, 400 or 2,100", 0, 100_000)
    smoothness: float = parameter(0.1, "How much smooth pictures are preferred; the authors take 1 to 100", 0.0, 1e6)
    repeats: int = parameter(1, "Pictures from other noise, side by side", 1, 16)


def inversion(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Layer after layer, a picture each. Raises InputError and ModelError where a layer can't be inverted."""
    scale, pixels = Yardstick(work, parameters.seed), Pixels(work.how, work.picture)
    for told in scale.looking():
        yield Step(0.0, told)
    for number, layer in enumerate(work.layers):
        descent = _descent(work, layer, pixels, parameters)
        for done in descent.steps():
            share = (number + done / descent.count) / len(work.layers)
            said = f"{layer}, step {done} of {descent.count}: feature error {float(descent.errors.min()):.2g}"
            due = done % max(descent.count // SHOWN, 1) == 0 and done < descent.count
            yield Step(share, said, (_maps(work, layer, descent, scale),) if due else ())
        yield Step((number + 1) / len(work.layers), f"{layer} is inverted", (_maps(work, layer, descent, scale),))


def _descent(work: MethodContext, layer: str, pixels: Pixels, parameters: Parameters) -> Descent:
    reach = PartialForward(work.model, [layer], work.arguments)
    code = find_inversion_target(work, reach, layer, parameters)
    goal = Goal(reach, work.given, layer, code.maps, code.channels, pixels, parameters.smoothness, parameters.way)
    start = [noise(pixels, parameters.seed + k, work.device) for k in range(parameters.repeats)]
    return Descent(goal, torch.cat(start), parameters.steps)


def _maps(work: MethodContext, layer: str, descent: Descent, scale: Yardstick) -> Maps:
    return inversion_maps(work, layer, INVERSION.name, descent.goal.pixels, descent.shares, descent.errors, scale)


INVERSION = Method(
    "inversion", "Inversion", "A picture with the layer's maps, found from noise: what the layer still knows.",
    inversion, Parameters,
)  # fmt: skip
