"""Saliency: how much each pixel would change a channel, or a class's score.

Simonyan, Vedaldi and Zisserman 2013, "Deep Inside Convolutional Networks", section 3: the gradient, of the colours the
one with the largest size.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.backward import Aim
from ..method_support.input_attribution import Parameters, explained
from ..method_support.method import Method, Step, Work


def saliency(work: Work, parameters: Parameters) -> Iterator[Step]:
    """Maps in units of the channel for a unit of the network's own numbers."""
    aim = Aim(parameters.of, parameters.of_class, "gradient")
    yield from explained(work, SALIENCY.name, aim, "sizes")


SALIENCY = Method(
    "saliency", "Saliency", "How much each pixel changes a channel: the size of its gradient.", saliency, Parameters
)
