"""Saliency: how strongly each pixel would change a channel or a class's score, max over colours of |dS/dx|.

Simonyan, Vedaldi and Zisserman 2013, "Deep Inside Convolutional Networks: Visualising Image Classification Models and
Saliency Maps", section 3.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.input_attribution import AttributionParameters, attribute_layers
from ..method_support.input_gradients import GradientTarget
from ..method_support.method import Method, MethodContext, Step


def saliency(context: MethodContext, parameters: AttributionParameters) -> Iterator[Step]:
    """Explains each channel. Maps: (C, H, W) in the size of the input, units of the channel per normalised input.

    Extras: see AttributedLayer.maps.
    """
    target = GradientTarget(parameters.of, parameters.of_class, "gradient")
    yield from attribute_layers(context, SALIENCY.name, target, "sizes")


SALIENCY = Method(
    "saliency",
    "Saliency",
    "How strongly each pixel changes a channel: the size of its gradient.",
    saliency,
    AttributionParameters,
    repeats="channel",
)
