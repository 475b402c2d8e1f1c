"""Charts of concept vectors: largest weights, IoU of one unit, a few and all, and how alike concepts are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..recording import CATEGORY
from ..recording.charts import Chart, fitted_chart
from .concept_vectors import ConceptVectors, unit_vectors

MOST_WEIGHTS = 32
"""Bars of the chart of weights."""
SIGNS = ("against", "for")
"""Categories of units: those with weights below 0 and above."""


def vector_charts(vectors: ConceptVectors, terms: Sequence[tuple[int, int]], name: str, top: int) -> tuple[Chart, ...]:
    """Returns the charts of a concept, or of a sum; terms: sign and place of each concept. top: units of a few."""
    weights = vectors.combine(terms)
    charts = [_weights_chart(weights, f"weights of {name} in {vectors.layer}")]
    if len(terms) > 1:
        charts += _nearest_charts(vectors, weights, {place for _, place in terms}, name)
    charts.append(_overlap_chart(vectors, terms[0][1], top))
    return (*charts, *_similarity_charts(vectors, weights))


def _weights_chart(weights: np.ndarray, title: str) -> Chart:
    order = [k for k in np.argsort(-np.abs(weights), kind="stable")[:MOST_WEIGHTS].tolist() if weights[k]] or [0]
    values = np.stack([np.minimum(weights[order], 0), np.maximum(weights[order], 0)], 1)
    names = [f"unit {unit}" for unit in order]
    return fitted_chart("bars", title, names, SIGNS, values, row_axis="unit", value_axis="weight", series_axis=CATEGORY)


def _nearest_charts(vectors: ConceptVectors, weights: np.ndarray, without: set[int], name: str) -> list[Chart]:
    near = vectors.nearest_concepts(weights, without)
    if not near:
        return []
    names, values = [vectors.concepts[place].name for place, _ in near], np.array([[cosine] for _, cosine in near])
    title = f"nearest to {name}"
    return [fitted_chart("bars", title, names, ("cosine",), values, row_axis="other concept", value_axis="cosine")]


def _overlap_chart(vectors: ConceptVectors, first: int, top: int) -> Chart:
    """Returns IoU on pictures for validation: the chosen concept first, then those that gain most."""
    alone, few, full = (
        np.array([vectors.score(place, f"{kind} val") for place in range(len(vectors.concepts))])
        for kind in ("single", "top", "combination")
    )
    order = sorted(range(len(alone)), key=lambda place: (place != first, float(alone[place] - full[place])))
    return fitted_chart(
        "table",
        f"IoU in {vectors.layer}",
        [vectors.concepts[place].name for place in order],
        ("best unit", f"{top} units", "all units"),
        np.stack([alone, few, full], 1)[order].round(3),
        row_axis="concept",
        value_axis="IoU, pictures for validation",
    )


def _similarity_charts(vectors: ConceptVectors, weights: np.ndarray) -> list[Chart]:
    """Returns the cosines between concepts, those first that are most like these weights (U,)."""
    order = [place for place, _ in vectors.nearest_concepts(weights)]
    if not order:
        return []
    names, units = [vectors.concepts[place].name for place in order], unit_vectors(vectors.weights[order])
    title = f"likeness of concepts in {vectors.layer}"
    return [
        fitted_chart("matrix", title, names, names, (units @ units.T).round(3), row_axis="concept", value_axis="cosine")
    ]
