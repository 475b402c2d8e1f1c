"""Activation maximisation: the picture that makes a channel fire most, found by gradient ascent from noise.

Erhan et al. 2009, "Visualizing Higher-Layer Features of a Deep Network"; the presets say who has done it how.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..method_support.method import Method, Step, MethodContext, parameter
from ..synthesis.presets import PresetName


@dataclass(frozen=True)
class Parameters:
    """What is made as large as it goes, and how."""

    objective: Literal["channel", "neuron", "class", "layer", "direction"] = parameter(
        "channel",
        "What grows: a channel's mean, one place of it, a class's score, a layer, or the input's own values of it",
    )
    preset: PresetName = parameter("quick", "How it is climbed: quick is ours, the others follow their papers and code")
    steps: int = parameter(0, "Steps for each picture; 0: as many as the preset has", 0, 100_000)
    size: int = parameter(0, "Side of the pictures; 0: as the network's own input", 0, 4096, "px")
    start: Literal["preset", "noise", "zeros", "image"] = parameter("preset", "What it begins with; image: the input")
    least: bool = parameter(False, "What the channel likes least, instead")
    joint: bool = parameter(False, "One picture for all the channels asked about, together")
    weights: str = parameter("", "Of joint channels, or of the direction: a number for each, such as 1,-0.5; empty: 1")
    samples: int = parameter(1, "Pictures of each channel", 1, 16)
    diversity: float = parameter(
        0.0, "How much samples of a channel must differ; about as large as what is reached", 0.0, 1e6
    )
    cosine: float = parameter(2.0, "Of direction: power of the cosine; 0 lets other values grow, too", 0.0, 8.0)
    down: float = parameter(0.5, "Of neuron: its place, from the top to the bottom of the map", 0.0, 1.0)
    across: float = parameter(0.5, "Of neuron: its place, from left to right", 0.0, 1.0)
    seed: int = parameter(0, "Of everything random", 0, 2**31 - 1)


def maximisation(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Pictures of the channels asked about, some at a time. Raises InputError, ModelError where it can't be done."""
    from ..method_support.maximisation_run import MaximisationRun  # torch is needed only now

    for number, layer in enumerate(work.layers):
        for step in MaximisationRun(work, parameters, layer).steps():
            yield Step((number + step.share) / len(work.layers), step.told, step.maps)


MAXIMISATION = Method(
    "maximisation", "Activation maximisation", "The picture that makes each channel, neuron or class fire most.",
    maximisation, Parameters,
)  # fmt: skip
