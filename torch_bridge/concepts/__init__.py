"""The offline default: procedural pictures with exact labels, and small networks trained on them here.

`concepts.load("object")` is a trained network with its class names, `concepts.picture()` what it looks at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .dataset import SIZE, ObjectBox, Sample, batch, sample
from .vocabulary import ALL_CONCEPTS, CATEGORIES, CONCEPTS, SPLITS, TASKS, VERSION, class_names
from .weight_files import snapshots, weights_path

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ALL_CONCEPTS", "CATEGORIES", "CONCEPTS", "DEFAULT_INDEX", "SIZE", "SPLITS", "TASKS", "VERSION", "ObjectBox", "Sample",
    "batch", "class_names", "load", "network", "picture", "sample", "snapshots", "weights_path",
]  # fmt: skip

DEFAULT_INDEX = 10
"""The picture of the validation split that the first hall shows: a blue ring before hills."""


def network(task: str = "object") -> nn.Module:
    """The architecture with random weights: (N, 3, 64, 64) in -1..1 -> (N, classes) logits. Raises UnknownName."""
    from .resnet import ConceptsNet

    return ConceptsNet(len(class_names(task)))


def load(task: str = "object") -> tuple[nn.Module, tuple[str, ...]]:
    """The trained network of a task in evaluation mode, and its class names. Raises UnknownName."""
    from ..models.weights import load_weights

    model = network(task)
    load_weights(model, weights_path(task))
    return model.eval(), class_names(task)


def picture(index: int = DEFAULT_INDEX, split: int = SPLITS["validation"], task: str = "object") -> np.ndarray:
    """(64, 64, 3) uint8 sRGB: one picture of a task, of seed 0."""
    return sample(0, split, index, task=task).image
