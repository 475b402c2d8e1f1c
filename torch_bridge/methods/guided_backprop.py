"""Guided backprop: the gradient of a channel, of which only what makes it larger passes each ReLU.

Springenberg, Dosovitskiy, Brox and Riedmiller 2015, "Striving for Simplicity: The All Convolutional Net", section 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.input_gradients import GradientTarget
from ..method_support.input_attribution import CroppableParameters, attribute_layers
from ..method_support.method import Method, Step, MethodContext


def guided_backprop(work: MethodContext, parameters: CroppableParameters) -> Iterator[Step]:
    """Signed colours, grey is 0. Other non-linear functions than ReLUs send back their own gradient."""
    aim = GradientTarget(parameters.of, parameters.of_class, "guided")
    yield from attribute_layers(work, GUIDED_BACKPROP.name, aim, "beside" if parameters.cropped else "colours")


GUIDED_BACKPROP = Method(
    "guided_backprop", "Guided backprop", "What in the picture makes a channel fire, sharp: only what adds to it.",
    guided_backprop, CroppableParameters,
)  # fmt: skip
