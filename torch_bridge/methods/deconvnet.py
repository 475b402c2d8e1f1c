"""Deconvnet: what a channel saw, projected back to the input through the transposed network.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 2.1. The way down is that of
gradients with ReLUs that rectify what comes back: max pooling puts it where the maximum was (the switches), overlapping
windows add up, average pooling spreads it, a convolution is transposed, a batch norm scales, a sum gives it to both of
its sides, a concatenation divides it, biases add nothing. Linear layers are transposed too, which is beyond the paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..method_support.input_gradients import GradientTarget
from ..method_support.input_attribution import CROPPED, OF_CLASS, attribute_layers
from ..method_support.method import Method, Step, MethodContext, parameter
from ..predictions.classes import PREDICTED


@dataclass(frozen=True)
class Parameters:
    """What is projected."""

    of: Literal["maximum", "map", "class"] = parameter(
        "maximum", "What is projected: a channel's strongest place, its whole map, or what it does for of_class"
    )
    of_class: int = parameter(PREDICTED, OF_CLASS, PREDICTED, 1_000_000)
    cropped: bool = parameter(False, CROPPED)


def deconvnet(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Signed colours, grey is 0: a channel that is nowhere above 0 has nothing to project."""
    aim = GradientTarget(parameters.of, parameters.of_class, "deconvnet")
    yield from attribute_layers(work, DECONVNET.name, aim, "beside" if parameters.cropped else "colours")


DECONVNET = Method(
    "deconvnet",
    "Deconvnet",
    "What a channel saw, projected back through the transposed network.",
    deconvnet,
    Parameters,
)
