"""What each class loses when the units of a concept are set to 0, over pictures of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..capture.ablation import Ablation, current_ablation, use_ablation
from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import MethodContext
from ..method_support.run_limits import full_precision
from ..predictions.classes import class_scores
from ..probing.partial_forward import PartialForward


@dataclass
class ConceptLosses:
    """Sums over pictures, by the class that the whole network predicts and the concept that is taken away."""

    sums: np.ndarray
    """(classes, concepts) float64: falls of the predicted class's score."""
    changed: np.ndarray
    """(classes, concepts) int64: pictures that are then given another class."""
    pictures: np.ndarray
    """(classes,) int64: pictures of the predicted class."""
    share: float = 0.0
    """Share of the pictures that is done, 0..1."""

    @property
    def mean_losses(self) -> np.ndarray:
        """(classes, concepts) float64: mean fall of the score; 0 for a class without pictures."""
        return np.asarray(self.sums / np.maximum(self.pictures, 1)[:, None])

    @property
    def changed_shares(self) -> np.ndarray:
        """(classes, concepts) float64: share of the class's pictures that get another class, 0..1."""
        return np.asarray(self.changed / np.maximum(self.pictures, 1)[:, None])


def ablate_concepts(
    context: MethodContext, layer: str, groups: Mapping[str, Sequence[int]], indices: Sequence[int]
) -> Iterator[ConceptLosses]:
    """Runs pictures whole and without each group of a layer's units, batch by batch; yields the sums so far.

    groups: units by concept. indices: pictures of the data set. Scores are those before a final softmax or sigmoid.
    Raises ModelError, and InputError without a data set or without class scores.
    """
    passing = DataSetPass(context, [layer], "concept_losses")
    sample = passing.arguments(passing.picture)
    whole = PartialForward(context.model, [layer], sample, context.positions)
    without = [_ablated(context, layer, units, sample) for units in groups.values()]
    losses: ConceptLosses | None = None
    for batch in passing.batches(indices):
        arguments = passing.arguments(batch.inputs)
        with torch.no_grad(), full_precision(context.device):
            scores = _scores(whole, arguments)
            others = [_scores(forward, arguments) for forward in without]
        if losses is None:
            size = scores.shape[1], len(groups)
            losses = ConceptLosses(np.zeros(size), np.zeros(size, np.int64), np.zeros(size[0], np.int64))
        _add(losses, scores, others)
        losses.share = batch.done / len(indices)
        yield losses


def _ablated(context: MethodContext, layer: str, units: Sequence[int], sample: tuple[object, ...]) -> PartialForward:
    """Returns the network with some of a layer's units at 0, besides those that are ablated already."""
    known = current_ablation().channels
    channels = {**known, layer: sorted({*known.get(layer, ()), *units})}
    with use_ablation(Ablation.resolve(context.network, channels)):
        return PartialForward(context.model, [layer], sample, context.positions)


def _scores(forward: PartialForward, arguments: tuple[object, ...]) -> np.ndarray:
    """Returns (N, classes) float64."""
    output = forward(arguments, to_output=True).output
    scores: np.ndarray = class_scores(output).double().cpu().numpy()
    return scores


def _add(losses: ConceptLosses, scores: np.ndarray, others: Sequence[np.ndarray]) -> None:
    predicted, rows = scores.argmax(1), np.arange(len(scores))
    np.add.at(losses.pictures, predicted, 1)
    for column, ablated in enumerate(others):
        np.add.at(losses.sums[:, column], predicted, (scores - ablated)[rows, predicted])
        np.add.at(losses.changed[:, column], predicted, ablated.argmax(1) != predicted)
