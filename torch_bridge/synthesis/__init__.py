"""Parts of activation maximisation: objectives, parametrisations of pictures, transforms, regularisers, and the ascent.

A preset names the parts that go together. Nothing here depends on methods, except the script that draws the sheet.
"""

from .ascent import Ascent, AscentSettings, make_start
from .objectives import Objective, channel, direction, diversity, energy, logit, neuron
from .parametrisations import build_parametrisation
from .presets import PRESETS, PresetName

__all__ = [
    "PRESETS",
    "Ascent",
    "AscentSettings",
    "Objective",
    "PresetName",
    "build_parametrisation",
    "channel",
    "direction",
    "diversity",
    "energy",
    "logit",
    "make_start",
    "neuron",
]
