"""Parameters of activation maximisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..synthesis.presets import PresetName
from .method import parameter


@dataclass(frozen=True)
class MaximisationParameters:
    """What is maximised, and how."""

    objective: Literal["channel", "neuron", "class", "layer", "direction"] = parameter(
        "channel",
        "What grows: the mean of a channel, one position of it, a class's score, the whole layer, or the layer's "
        "values along a direction (those of the current input, unless channels or weights are set)",
    )
    preset: PresetName = parameter("quick", "Recipe: quick is our own, the others follow published papers and code")
    steps: int = parameter(0, "Steps for each picture; 0: the preset's number", 0, 100_000)
    size: int = parameter(0, "Side of the pictures; 0: the size of the network's input", 0, 4096, "px")
    start: Literal["preset", "noise", "zeros", "image"] = parameter(
        "preset", "Where the ascent starts; image: the current input"
    )
    least: bool = parameter(False, "Minimise instead: what the channel responds to least")
    joint: bool = parameter(False, "One picture for all selected channels together")
    weights: str = parameter(
        "", "Weights of joint channels or of the direction: one number each, such as 1,-0.5; empty: all 1"
    )
    samples: int = parameter(1, "Pictures for each channel", 1, 16)
    diversity: float = parameter(
        0.0, "How strongly the samples of a channel must differ; try the size of the value reached", 0.0, 1e6
    )
    cosine: float = parameter(
        2.0, "For the objective direction: power of the cosine; 0 lets values off the direction grow too", 0.0, 8.0
    )
    down: float = parameter(0.5, "For the objective neuron: its position, from the top (0) to the bottom (1)", 0.0, 1.0)
    across: float = parameter(0.5, "For the objective neuron: its position, from left (0) to right (1)", 0.0, 1.0)
    seed: int = parameter(0, "Random seed", 0, 2**31 - 1)
