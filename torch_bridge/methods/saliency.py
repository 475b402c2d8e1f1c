"""Saliency: how much each pixel would change a channel, or a class's score.

Simonyan, Vedaldi and Zisserman 2013, "Deep Inside Convolutional Networks", section 3: the gradient, of the colours the
one with the largest size.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.input_gradients import GradientTarget
from ..method_support.input_attribution import AttributionParameters, attribute_layers
from ..method_support.method import Method, Step, MethodContext


def saliency(work: MethodContext, parameters: AttributionParameters) -> Iterator[Step]:
    """Maps in units of the channel for a unit of the network's own numbers."""
    aim = GradientTarget(parameters.of, parameters.of_class, "gradient")
    yield from attribute_layers(work, SALIENCY.name, aim, "sizes")


SALIENCY = Method(
    "saliency", "Saliency", "How much each pixel changes a channel: the size of its gradient.", saliency, AttributionParameters
)
