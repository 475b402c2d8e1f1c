"""How the scores of classes change along directions in a layer, and whether that may be chance."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..data import DataSet
from ..method_support.data_set_pass import DataSetBatch, DataSetPass
from ..method_support.input_gradients import NO_GRADIENT
from ..method_support.method import MethodContext, Step
from ..method_support.run_limits import full_precision
from ..predictions.classes import class_scores
from ..recording.errors import ModelError

LEAST_OF_CLASS = 5
"""Pictures of a class that its sensitivity needs."""
SIGNIFICANT = 0.05
"""Probability of a chance result, over all classes together, below which a class is more than chance."""


class ClassSensitivity(NamedTuple):
    """How often the score of a class rises along a direction."""

    name: str
    pictures: int
    share: float
    """Share 0..1 of the class's pictures whose score rises: the TCAV score."""
    random_share: float
    """The same along directions of random splits, on average."""
    p_value: float
    """Share of directions of random splits along which the mean score changes as much, or more."""

    def is_significant(self, classes: int) -> bool:
        """Whether it is more than chance, among so many classes (Bonferroni)."""
        return self.p_value * classes <= SIGNIFICANT


class ClassGradients(NamedTuple):
    """Pictures with the gradients of the scores of their classes."""

    indices: np.ndarray
    """(n,) int64: numbers in the data set."""
    classes: np.ndarray
    """(n,) int64."""
    names: tuple[str, ...]
    """Names of all classes of the network."""
    means: dict[str, np.ndarray]
    """By layer (n, C) float32: means of channels over positions."""
    gradients: dict[str, np.ndarray]
    """By layer (n, C) float32: the score's gradient, summed over positions."""


def measure_gradients(
    context: MethodContext, data: DataSet, indices: Sequence[int]
) -> Generator[Step, None, ClassGradients]:
    """Runs pictures forward and back, for the gradient of the score of each picture's class.

    A picture's class is its own, if the network has one of that name, or else the class with the highest score. Raises
    InputError without classes, ModelError without finite gradients.
    """
    data_set_pass = DataSetPass(replace(context, data=data), context.layers, "the sensitivity of classes")
    numbers, classes, names = list[np.ndarray](), list[np.ndarray](), tuple[str, ...]()
    means: dict[str, list[np.ndarray]] = {id: [] for id in context.layers}
    slopes: dict[str, list[np.ndarray]] = {id: [] for id in context.layers}
    for batch in data_set_pass.batches(indices):
        scores, gradients = _backward(context, data_set_pass, batch, data)
        names = context.class_names.of(scores.shape[1])
        numbers.append(batch.indices)
        classes.append(_classes(scores, data, batch.indices, names))
        for id in context.layers:
            means[id].append(batch.maps[id].mean((2, 3)).cpu().numpy())
            slopes[id].append(gradients[id].float().sum((2, 3)).cpu().numpy())
        yield Step(batch.done / len(indices), f"gradients of {batch.done} of {len(indices)} pictures")
    joined = {id: np.concatenate(parts) for id, parts in means.items()}
    joined_slopes = {id: np.concatenate(parts) for id, parts in slopes.items()}
    if not all(np.isfinite(values).all() for values in joined_slopes.values()):
        raise ModelError("the gradients of classes are not finite; values overflow or are NaN")
    return ClassGradients(np.concatenate(numbers), np.concatenate(classes), names, joined, joined_slopes)


def _backward(
    context: MethodContext, data_set_pass: DataSetPass, batch: DataSetBatch, data: DataSet
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the scores (N, classes) of a batch, and the gradients (N, C, h, w) of its classes' scores by layer."""
    with torch.enable_grad(), full_precision(context.device):
        pictures = batch.inputs.detach().clone().requires_grad_(batch.inputs.is_floating_point())
        result = data_set_pass.forward(data_set_pass.arguments(pictures), to_output=True)
        scores = class_scores(result.output)
        lost = [id for id in context.layers if id not in result.edges]
        if lost or not scores.requires_grad:
            raise ModelError(NO_GRADIENT.format(lost[0] if lost else "the answer"))
        chosen = _classes(scores.detach(), data, batch.indices, context.class_names.of(scores.shape[1]))
        own = scores[range(len(chosen)), chosen.tolist()]
        return scores.detach(), result.gradients(own.sum())


def _classes(scores: Tensor, data: DataSet, indices: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(N, classes) scores of pictures -> (N,) int64 classes."""
    classes = scores.float().nan_to_num(nan=-torch.inf).argmax(1).cpu().numpy()
    for row, index in enumerate(indices.tolist()):
        label = data.label(index)
        if label >= 0 and data.classes[label] in names:
            classes[row] = names.index(data.classes[label])
    return classes


def class_sensitivities(
    measured: ClassGradients, layer: str, direction: np.ndarray, random_directions: np.ndarray
) -> list[ClassSensitivity]:
    """Returns the sensitivity of each class that has LEAST_OF_CLASS pictures, in order of the classes.

    direction: (C,). random_directions: (S, C), of probes for random splits of the same pictures; all of length 1.
    """
    along = measured.gradients[layer].astype(np.float64) @ np.vstack([direction, random_directions]).T
    found = []
    for index in np.unique(measured.classes):
        slopes = along[measured.classes == index]
        if len(slopes) < LEAST_OF_CLASS:
            continue
        rises, sizes = (slopes > 0).mean(0), np.abs(slopes.mean(0))
        as_large = int((sizes[1:] >= sizes[0] * (1 - 1e-9)).sum())
        p_value = (1 + as_large) / len(sizes)
        name = measured.names[index]
        found.append(ClassSensitivity(name, len(slopes), float(rises[0]), float(rises[1:].mean()), p_value))
    return found
