"""Units of a layer grouped by the concept that they detect, and what a group contributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..recording import CATEGORY
from ..recording.charts import Chart, fitted_chart
from .findings import UnitFinding

NO_CONCEPT = "no concept"
"""Name of the units that detect nothing."""
NAMED = 7
"""Concepts of a chart before the units that detect nothing."""


@dataclass(frozen=True)
class ConceptShare:
    """What the units of one concept contribute to a score."""

    concept: str
    share: float
    """Sum of the units' contributions, in units of the score."""
    units: tuple[int, ...]


def units_by_concept(findings: Sequence[UnitFinding], bar: float) -> dict[str, tuple[int, ...]]:
    """Returns the units that detect each concept best, without those below the bar; concepts in alphabetical order."""
    found: dict[str, list[int]] = {}
    for finding in findings:
        if finding.is_detector(bar):
            found.setdefault(finding.best.concept, []).append(finding.unit)
    return {concept: tuple(found[concept]) for concept in sorted(found)}


def concept_shares(findings: Sequence[UnitFinding], contributions: np.ndarray, bar: float) -> list[ConceptShare]:
    """Returns the sums of the contributions (U,) of each concept's units, the largest in size first.

    The units that detect nothing are the last entry, so that all sums together are that of all units.
    """
    groups = units_by_concept(findings, bar)
    shares = [
        ConceptShare(concept, float(contributions[list(units)].sum(dtype=np.float64)), units)
        for concept, units in groups.items()
    ]
    shares.sort(key=lambda share: -abs(share.share))
    others = tuple(finding.unit for finding in findings if not finding.is_detector(bar))
    rest = ConceptShare(NO_CONCEPT, float(contributions[list(others)].sum(dtype=np.float64)), others)
    return [*shares, *([rest] if others else [])]


def share_chart(layer: str, class_name: str, shares: Sequence[ConceptShare], findings: Sequence[UnitFinding]) -> Chart:
    """Returns the shares as bars in the colours of their categories, with the number of units in each name.

    The units that detect nothing stay in sight, in a category of their own.
    """
    named = [share for share in shares if share.concept != NO_CONCEPT]
    rest = [share for share in shares if share.concept == NO_CONCEPT]
    shown, categories = [*named[:NAMED], *rest, *named[NAMED:]], category_names(findings)
    values = np.zeros((len(shown), len(categories) + bool(rest)))
    for row, share in enumerate(shown):
        category = findings[share.units[0]].category if share.concept != NO_CONCEPT else NO_CONCEPT
        values[row, categories.index(category) if category in categories else -1] = share.share
    return fitted_chart(
        "bars",
        f"evidence for {class_name} in {layer}",
        tuple(f"{share.concept} ({len(share.units)})" for share in shown),
        (*categories, *(["none"] if rest else [])),
        values,
        row_axis="concept (units)",
        value_axis="contribution to the score",
        series_axis=CATEGORY,
    )


def category_names(findings: Sequence[UnitFinding]) -> tuple[str, ...]:
    """Returns the names of the categories in their order."""
    return tuple(findings[0].matches)


def category_numbers(findings: Sequence[UnitFinding], bar: float) -> np.ndarray:
    """Returns (U,) int32: the category of what each unit detects, from 1; 0 for units that detect nothing."""
    names = category_names(findings)
    places = (names.index(finding.category) + 1 if finding.is_detector(bar) else 0 for finding in findings)
    return np.fromiter(places, np.int32, len(findings))
