"""Guided backprop: the gradient of a channel, where each ReLU with input f passes only R = [f > 0] max(R', 0).

Springenberg, Dosovitskiy, Brox and Riedmiller 2015, "Striving for Simplicity: The All Convolutional Net", section 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.input_attribution import CroppableParameters, attribute_layers
from ..method_support.input_gradients import GradientTarget
from ..method_support.method import Method, MethodContext, Step


def guided_backprop(context: MethodContext, parameters: CroppableParameters) -> Iterator[Step]:
    """Explains each channel. Maps: (C, H, W, 3) signed colours in the size of the input, 0 is middle grey.

    Activations other than ReLUs keep their own gradient. Extras: see AttributedLayer.maps.
    """
    target = GradientTarget(parameters.of, parameters.of_class, "guided")
    yield from attribute_layers(context, GUIDED_BACKPROP.name, target, "beside" if parameters.cropped else "colours")


GUIDED_BACKPROP = Method(
    "guided_backprop",
    "Guided backprop",
    "What in the picture makes a channel fire: a sharp gradient of what adds to it.",
    guided_backprop,
    CroppableParameters,
    repeats="channel",
)
