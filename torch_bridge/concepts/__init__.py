"""Data and networks that need no download: procedural pictures with exact labels, and small networks trained on them.

`concepts.load("object")` is a trained network with its class names, `concepts.picture()` the default input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .dataset import SIZE, ObjectBox, Sample, batch, sample, shape_sample
from .vocabulary import ALL_CONCEPTS, CATEGORIES, CONCEPTS, SPLITS, TASKS, VERSION, class_names
from .weight_files import snapshots, weights_path

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ALL_CONCEPTS",
    "CATEGORIES",
    "CONCEPTS",
    "DEFAULT_INDEX",
    "SIZE",
    "SPLITS",
    "TASKS",
    "VERSION",
    "ObjectBox",
    "Sample",
    "batch",
    "class_names",
    "load",
    "network",
    "picture",
    "sample",
    "shape_sample",
    "snapshots",
    "weights_path",
]

DEFAULT_INDEX = 10
"""Index of the default input in the validation split: a blue ring in front of hills."""


def network(task: str = "object") -> nn.Module:
    """Returns an untrained network: (N, 3, 64, 64) float32 in -1..1 -> (N, classes) logits. Raises UnknownName."""
    from .resnet import ConceptsNet

    return ConceptsNet(len(class_names(task)))


def load(task: str = "object") -> tuple[nn.Module, tuple[str, ...]]:
    """Returns the trained network of a task, in evaluation mode, and its class names. Raises UnknownName."""
    from ..models.weights import load_weights

    model = network(task)
    load_weights(model, weights_path(task))
    return model.eval(), class_names(task)


def picture(index: int = DEFAULT_INDEX, split: int = SPLITS["validation"], task: str = "object") -> np.ndarray:
    """Returns a picture of a task, made with seed 0: (64, 64, 3) uint8 sRGB, top row first."""
    return sample(0, split, index, task=task).image
