"""Failures by concept: pictures that the network misclassifies, and the concepts behind the wrong and the right class.

Contributions of units are sum_yx A dS_c/dA, added up by the concept that the units detect, as in
`concept_contribution`; a concept speaks for the wrong class w against the right class r by S_w's share less S_r's.
Zhou et al. 2018, "Interpretable Basis Decomposition for Visual Explanation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..attribution.heat_sheet import arrange_tiles, draw_sheet, sheet_maps
from ..data import random_indices
from ..dissection.concept_units import NO_CONCEPT
from ..dissection.failure_cases import WrongAnswers, failure_evidence, find_failures
from ..dissection.failure_sheet import FailureCase, describe_failure
from ..dissection.single_run import DissectionParameters, find_units
from ..method_support.method import Method, MethodContext, Step, parameter
from ..recording import Maps
from ..recording.charts import MOST_CHARTS, Chart, fitted_chart
from ..recording.errors import InputError
from .concept_contribution import FOLDER_HELP

DISSECTED, LOOKED = 0.4, 0.7
"""Shares of the whole work after the dissection, and after the search for failures."""
TEXT = 15
"""Size of the sheet's text, pixels."""


@dataclass(frozen=True)
class ConceptFailuresParameters(DissectionParameters):
    """Where failures are looked for, and how units get their concepts."""

    pictures: int = parameter(500, "Pictures of the data set among which failures are looked for", 1, 1_000_000)
    most: int = parameter(8, "Failures that are shown: those with the largest lead of the wrong class", 1, 32)
    dissected: str = parameter("", FOLDER_HELP)


def concept_failures(context: MethodContext, parameters: ConceptFailuresParameters) -> Iterator[Step]:
    """Looks for misclassified pictures, and divides the scores of both classes among the concepts of each layer.

    Maps: one colour map (1, H, W, 3) sRGB 0..1 of a layer: pictures beside bars of concepts. Charts: a matrix for each
    of the last layers, in units of the score: what concepts contribute to the wrong class less what to the right one.
    Raises ModelError, and InputError without a data set, its classes or failures.
    """
    findings = yield from find_units(context, parameters.dissected, parameters, DISSECTED)
    data = context.data
    if data is None:
        raise InputError("concept_failures needs a data set; choose one, or name one when the bridge starts")
    answers = WrongAnswers()
    for answers in find_failures(
        context, sorted(random_indices(data, min(parameters.pictures, len(data)), parameters.seed))
    ):
        share = DISSECTED + (LOOKED - DISSECTED) * answers.share
        yield Step(share, f"{len(answers.found)} of {answers.pictures} pictures misclassified")
    _check(answers, data.name)
    cases: dict[str, list[FailureCase]] = {layer: [] for layer in context.layers}
    shown = answers.found[: parameters.most]
    for number, answer in enumerate(shown):
        names = answers.names[answer.wrong], answers.names[answer.right]
        pixels = np.asarray(data.picture(answer.number, 0).convert("RGB"))
        for layer, evidence in failure_evidence(context, answer, findings, parameters.threshold).items():
            cases[layer].append(FailureCase(pixels, data.title(answer.number), *names, evidence))
        yield Step(LOOKED + (1 - LOOKED) * (number + 1) / len(shown), f"concepts of {data.title(answer.number)}")
    order = [layer.id for layer in reversed(context.network.layers) if layer.id in cases]
    charts = tuple(_chart(layer, cases[layer]) for layer in order[:MOST_CHARTS])
    label = f"{len(shown)} of {len(answers.found)} failures among {answers.pictures} pictures of {data.name}"
    yield Step(1.0, label, [replace(_maps(layer, cases[layer], label), charts=charts) for layer in order])


def _check(answers: WrongAnswers, data: str) -> None:
    """Raises InputError if there is nothing to show."""
    if not answers.pictures:
        raise InputError(f"data set {data}: none of these pictures has a class of the network; name one with classes")
    if not answers.found:
        raise InputError(f"all {answers.pictures} pictures of {data} are classified correctly; look at more of them")


def _chart(layer: str, cases: Sequence[FailureCase]) -> Chart:
    """Returns the differences of all failures; concepts in the order of their mean size, units without one last."""
    concepts = cases[0].evidence.concepts
    rows = []
    for case in cases:
        gaps = dict(zip(case.evidence.concepts, (case.evidence.wrong - case.evidence.right).tolist(), strict=True))
        rows.append([gaps[concept] for concept in concepts])
    values = np.array(rows)
    order = sorted(range(len(concepts)), key=lambda k: (concepts[k] == NO_CONCEPT, -float(np.abs(values[:, k]).mean())))
    return fitted_chart(
        "matrix",
        f"wrong class less right class in {layer}",
        [f"{case.wrong}, is {case.right}" for case in cases],
        [concepts[k] for k in order],
        values[:, order],
        row_axis="picture",
        series_axis="concept",
        value_axis="contribution to the scores",
    )


def _maps(layer: str, cases: Sequence[FailureCase], label: str) -> Maps:
    sheet = draw_sheet(arrange_tiles([case.tiles() for case in cases]), TEXT)
    return sheet_maps(layer, CONCEPT_FAILURES.name, sheet, label, {}, describe_failure(cases[0]))


CONCEPT_FAILURES = Method(
    "concept_failures",
    "Failures by concept",
    "Pictures that the network misclassifies, with the concepts behind the wrong class and behind the right one.",
    concept_failures,
    ConceptFailuresParameters,
    needs="data",
)
