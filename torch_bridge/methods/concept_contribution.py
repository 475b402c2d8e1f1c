"""Predictions by concept: how much of a class's score comes from the units that detect each concept.

A unit's contribution is sum_yx A dS_c/dA, as in `contribution`; a concept's is the sum over the units whose best
concept it is (Bau et al. 2017). Zhou et al. 2018, "Interpretable Basis Decomposition for Visual Explanation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..dissection.concept_units import category_numbers, concept_shares, share_chart
from ..dissection.findings import UnitFinding
from ..dissection.single_run import DissectionParameters, find_units
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import Method, MethodContext, Step, independence_note, parameter
from ..method_support.score_paths import ScorePaths, ScoreShare
from ..predictions.classes import PREDICTED
from ..recording import CATEGORY, Chart, Maps, pack
from ..recording.charts import MOST_CHARTS
from ..recording.errors import ModelError

DISSECTED, NAMED = 0.9, 4
"""Share of the whole work after the dissection; concepts that a note names."""
FOLDER_HELP = "Folder of innerwalk dissect, in place of looking at pictures now; empty: the data set is dissected"


@dataclass(frozen=True)
class ConceptContributionParameters(DissectionParameters):
    """The class, and how units get their concepts."""

    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    dissected: str = parameter("", FOLDER_HELP)


def concept_contribution(context: MethodContext, parameters: ConceptContributionParameters) -> Iterator[Step]:
    """Divides the score among the channels of each layer, and adds up those of each concept.

    Maps: (C, H, W) in units of the score, a channel's share by position. Labels: "ring +0.31", the concept that the
    channel detects and its share. Extra "values": (C,) float32, the shares. Charts: the shares by concept in the last
    layers. Raises InputError and ModelError as `contribution` and `dissection`.
    """
    findings = yield from find_units(context, parameters.dissected, parameters, DISSECTED)
    paths = ScorePaths(context, parameters.of_class)
    if not paths.compute_gradients():
        raise ModelError("the network's answer has no gradient: it detaches, rounds or converts its values")
    yield Step(DISSECTED, paths.message)
    shares = {layer: paths.share(layer) for layer in context.layers}
    order = [layer.id for layer in reversed(context.network.layers) if layer.id in shares]
    charts, notes, bar = list[Chart](), dict[str, str](), parameters.threshold
    for layer in order:
        by_concept = concept_shares(findings[layer], shares[layer].values, bar)
        charts.append(share_chart(layer, paths.target_class.name, by_concept, findings[layer]))
        named = ", ".join(f"{own.concept} {own.share:+.3g}" for own in by_concept[:NAMED])
        notes[layer] = f"score of {paths.target_class.name}: {named}"
    for number, layer in enumerate(order):
        maps = _maps(context, paths, layer, shares[layer], findings[layer], bar)
        maps = replace(maps, charts=tuple(charts[:MOST_CHARTS]), note=maps.note or notes[layer])
        yield Step(DISSECTED + (1 - DISSECTED) * (number + 1) / len(order), f"{paths.message}: {layer}", (maps,))


def _maps(
    context: MethodContext,
    paths: ScorePaths,
    layer: str,
    share: ScoreShare,
    findings: Sequence[UnitFinding],
    bar: float,
) -> Maps:
    """Returns the maps of a layer's selected channels."""
    layout = paths.result.layouts[layer]
    names = [finding.best.concept if finding.is_detector(bar) else "" for finding in findings]
    labels = tuple(f"{name} {value:+.2f}".strip() for name, value in zip(names, share.values.tolist(), strict=True))
    note = "" if share.maps.any() else independence_note(paths.target_class.name, layout)
    maps = Maps(layer, CONCEPT_CONTRIBUTION.name, pack(share.maps), len(labels), labels=labels, note=note)
    extras = {"values": share.values, CATEGORY: category_numbers(findings, bar)}
    return replace(maps, extras=extras, **layout.place()).only(context.channels)


CONCEPT_CONTRIBUTION = Method(
    "concept_contribution",
    "Prediction by concept",
    "How much of a class's score comes from the channels that detect each concept.",
    concept_contribution,
    ConceptContributionParameters,
    needs="input and data",
)
