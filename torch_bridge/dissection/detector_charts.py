"""What layers detect as a chart: the number of different concepts of each category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..recording import CATEGORY
from ..recording.charts import Chart, fitted_chart
from .findings import BAR, UnitFinding, unique_concepts

MOST_BARS = 8
"""Layers up to which each is a bar; more are points of lines, as in the authors' figures."""


def detector_chart(findings: Mapping[str, Sequence[UnitFinding]], bar: float = BAR) -> Chart:
    """Returns the number of unique detectors by layer and category. findings: by layer, in the network's order."""
    unique = {layer: unique_concepts(own, bar) for layer, own in findings.items()}
    categories = tuple(next(iter(unique.values())))
    return fitted_chart(
        "bars" if len(unique) <= MOST_BARS else "lines",
        "unique detectors",
        tuple(unique),
        categories,
        np.array([[len(own[category]) for category in categories] for own in unique.values()]),
        row_axis="layer",
        value_axis="different concepts",
        series_axis=CATEGORY,
    )
