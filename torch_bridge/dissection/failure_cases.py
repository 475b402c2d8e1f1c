"""Pictures that a network misclassifies, and which concepts' units speak for the wrong class and for the right one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch

from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import MethodContext
from ..method_support.run_limits import full_precision
from ..method_support.score_paths import ScorePaths
from ..predictions.classes import class_scores
from ..recording.errors import InputError, ModelError
from .concept_units import concept_shares
from .findings import UnitFinding


class WrongAnswer(NamedTuple):
    """A picture that is misclassified."""

    number: int
    """Of the picture in the data set."""
    wrong: int
    """Class with the highest score."""
    right: int
    """Class of the picture."""
    margin: float
    """By how much the wrong class's score is higher."""


@dataclass
class WrongAnswers:
    """What a pass over pictures found."""

    found: list[WrongAnswer] = field(default_factory=list)
    """The largest margin first."""
    pictures: int = 0
    """Pictures that have a class of the network."""
    names: tuple[str, ...] = ()
    """Of the network's classes."""
    share: float = 0.0
    """Share of the pictures that is done, 0..1."""


def find_failures(context: MethodContext, indices: Sequence[int]) -> Iterator[WrongAnswers]:
    """Runs pictures of the data set; yields the failures so far after each batch.

    Pictures without a class, or of a class that the network lacks, are passed over. Raises ModelError, and InputError
    without a data set or class scores.
    """
    answers, data = WrongAnswers(), context.data
    passing = DataSetPass(context, context.layers[:1], "concept_failures")
    for batch in passing.batches(indices):
        assert data is not None
        with torch.no_grad(), full_precision(context.device):
            output = passing.forward(passing.arguments(batch.inputs), to_output=True).output
        scores = class_scores(output).double().cpu().numpy()
        answers.names = tuple(context.class_names.of(scores.shape[1]))
        for index, row in zip(batch.indices.tolist(), scores, strict=True):
            label = data.label(index)
            if label < 0 or data.classes[label] not in answers.names:
                continue
            answers.pictures += 1
            right, wrong = answers.names.index(data.classes[label]), int(row.argmax())
            if not np.isfinite(row[[wrong, right]]).all():
                raise ModelError(f"the network's scores of {data.title(index)} are NaN or infinite")
            if answers.names[wrong] != answers.names[right]:  # some networks have two classes of one name
                answers.found.append(WrongAnswer(index, wrong, right, float(row[wrong] - row[right])))
        answers.found.sort(key=lambda answer: (-answer.margin, answer.number))
        answers.share = batch.done / len(indices)
        yield answers


class ConceptEvidence(NamedTuple):
    """What the units of each concept contribute to the scores of two classes."""

    concepts: tuple[str, ...]
    """Those that speak most for the wrong class first."""
    wrong: np.ndarray
    """(concepts,) float64: contributions to the wrong class's score."""
    right: np.ndarray
    """(concepts,) float64: to the right class's."""


def failure_evidence(
    context: MethodContext, answer: WrongAnswer, findings: Mapping[str, Sequence[UnitFinding]], bar: float
) -> dict[str, ConceptEvidence]:
    """Returns by layer which concepts speak for the wrong class of a picture, and which for the right one.

    Raises InputError for a picture that can't be read any more, ModelError for an answer without a gradient.
    """
    if context.data is None:
        raise InputError("concept_failures needs a data set; choose one, or name one when the bridge starts")
    arguments = context.arguments_from_picture(context.data.picture(answer.number))
    by_class = []
    for number in (answer.wrong, answer.right):
        paths = ScorePaths(replace(context, arguments=arguments), number)
        if not paths.compute_gradients():
            raise ModelError("the network's answer has no gradient: it detaches, rounds or converts its values")
        by_class.append({layer: paths.share(layer).values for layer in context.layers})
    for_wrong, for_right = by_class
    return {layer: _evidence(findings[layer], for_wrong[layer], for_right[layer], bar) for layer in context.layers}


def _evidence(findings: Sequence[UnitFinding], wrong: np.ndarray, right: np.ndarray, bar: float) -> ConceptEvidence:
    """wrong, right: (U,) contributions of units to the scores of the two classes."""
    sums = [{own.concept: own.share for own in concept_shares(findings, values, bar)} for values in (wrong, right)]
    order = sorted(sums[0], key=lambda concept: sums[1][concept] - sums[0][concept])
    return ConceptEvidence(tuple(order), *(np.array([own[concept] for concept in order]) for own in sums))
