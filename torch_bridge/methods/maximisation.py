"""Activation maximisation: the picture that makes a channel fire most, argmax_x a(x) - R(x), by gradient ascent.

Erhan et al. 2009, "Visualizing Higher-Layer Features of a Deep Network"; each preset names its own source. The
objective a is the mean of a channel, one position of it, a class's score, a layer or a direction.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.maximisation_parameters import MaximisationParameters
from ..method_support.maximisation_run import MaximisationRun
from ..method_support.method import Method, MethodContext, Step


def maximisation(context: MethodContext, parameters: MaximisationParameters) -> Iterator[Step]:
    """Makes pictures of the selected channels, in batches. Maps: (C, H, W, 3) sRGB 0..1.

    Extras: see MaximisationRun.maps. Raises InputError and ModelError if it can't be done.
    """
    for number, layer in enumerate(context.layers):
        for step in MaximisationRun(context, parameters, layer).steps():
            yield Step((number + step.share) / len(context.layers), step.message, step.maps)


MAXIMISATION = Method(
    "maximisation",
    "Activation maximisation",
    "The picture that makes each channel, neuron or class fire most.",
    maximisation,
    MaximisationParameters,
    repeats="channel",
)
