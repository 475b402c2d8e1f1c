"""Deconvnet: projects a channel's activation back to the input through the transposed network.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 2.1. Computed as a gradient in
which a ReLU passes R = max(R', 0) of the signal R' that comes back: max pooling returns it to the maximum (the
switches), overlapping windows add up, average pooling spreads it, convolutions are transposed, a batch norm scales it,
a sum passes it to both sides, a concatenation splits it, and biases add nothing. Linear layers are transposed too,
which goes beyond the paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..method_support.input_attribution import CLASS_HELP, CROPPED, attribute_layers
from ..method_support.input_gradients import GradientTarget
from ..method_support.method import Method, MethodContext, Step, parameter
from ..predictions.classes import PREDICTED


@dataclass(frozen=True)
class Parameters:
    """What is projected, and how its maps are cropped."""

    of: Literal["maximum", "map", "class"] = parameter(
        "maximum",
        "What is projected: a channel's strongest position, its whole map, or its part in the score of of_class",
    )
    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    cropped: bool = parameter(False, CROPPED)


def deconvnet(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Projects each channel. Maps: (C, H, W, 3) signed colours in the size of the input, 0 is middle grey.

    A channel that is nowhere above 0 stays grey. Extras: see AttributedLayer.maps.
    """
    target = GradientTarget(parameters.of, parameters.of_class, "deconvnet")
    yield from attribute_layers(context, DECONVNET.name, target, "beside" if parameters.cropped else "colours")


DECONVNET = Method(
    "deconvnet",
    "Deconvnet",
    "What a channel saw, projected back through the transposed network.",
    deconvnet,
    Parameters,
    repeats="channel",
)
