"""Pictures of lit toys in rooms, and a network trained on them: the network that the demo shows.

`toybox.load()` is the trained network with its class names, `toybox.picture()` its default input.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .pictures import SIZE, SPLITS, VERSION, ToyPicture, sample
from .toys import CLASSES

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "CLASSES",
    "DEFAULT_INDEX",
    "SIZE",
    "SPLITS",
    "VERSION",
    "WEIGHTS",
    "ToyPicture",
    "load",
    "network",
    "picture",
    "sample",
]

WEIGHTS = Path(__file__).parent / "weights" / "toybox.safetensors"
"""File of the trained weights, float16."""
DEFAULT_INDEX = 22
"""Index of the default input in the validation split: a rocket, a mushroom and a tree."""


def network() -> nn.Module:
    """Returns an untrained network: (N, 3, 128, 128) float32 in -1..1 -> (N, 12) logits."""
    from .toybox_net import ToyboxNet

    return ToyboxNet(len(CLASSES))


def load() -> tuple[nn.Module, tuple[str, ...]]:
    """Returns the trained network, in evaluation mode, and its class names."""
    from ..models.weights import load_weights

    model = network()
    load_weights(model, WEIGHTS)
    return model.eval(), CLASSES


def picture(index: int = DEFAULT_INDEX, split: int = SPLITS["validation"]) -> np.ndarray:
    """Returns a picture, made with seed 0: (128, 128, 3) uint8 sRGB, top row first."""
    return sample(0, split, index).image
