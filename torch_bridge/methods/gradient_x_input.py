"""Gradient × input: the first-order part of each pixel in a class's score or a channel, sum over colours of x dS/dx.

x is the normalised input, so 0 is the mean of the data. Exact for a network that is linear without biases.
Shrikumar, Greenside, Shcherbina and Kundaje 2016, "Not Just a Black Box: Learning Important Features Through
Propagating Activation Differences".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..attribution.explained_values import EXPLAINED_HELP, Explained
from ..attribution.mean_gradients import GradientMean, attribute_means
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import Method, MethodContext, Step, parameter
from ..predictions.classes import PREDICTED


@dataclass(frozen=True)
class Parameters:
    """What is explained."""

    of: Explained = parameter("class", EXPLAINED_HELP)
    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)


def gradient_x_input(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Computes gradients at the picture itself.

    Maps: (1, H, W) for a class, (C, H, W) for channels, signed, in units of the score or channel, over the input.
    Raises InputError and ModelError.
    """
    picture = context.picture.detach()[:1]
    method = GradientMean(
        GRADIENT_X_INPUT.name, 1, lambda number: picture.clone(), lambda means: (means * picture.float()).sum(1)
    )
    yield from attribute_means(context, method, parameters.of, parameters.of_class)


GRADIENT_X_INPUT = Method(
    "gradient_x_input",
    "Gradient × input",
    "The first-order part of each pixel in a class's score or a channel.",
    gradient_x_input,
    Parameters,
    repeats="channel unless class",
)
