"""Charts: a few numbers with names, which a method gives besides maps and a hall shows on a board."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .errors import InputError

ChartKind = Literal["bars", "lines", "matrix", "table"]
MOST_CHARTS = 4
"""Charts of the maps of one layer."""
MOST_ROWS, MOST_SERIES, MOST_LENGTH = 1024, 64, 256
"""Rows and series of a chart, and characters of each of its texts."""
LARGEST = 1e30
"""Largest size of a value, so that sums and lengths stay finite."""
MOST_LINES = 6
"""Lines of a chart of bars or layers over entries: as many as have colours of their own."""


@dataclass(frozen=True)
class Chart:
    """Values by row and by series, and how they are drawn.

    bars: a bar for each row, the series end to end, negative values to the left. lines: a line for each series, rows
    evenly from left to right. matrix: a coloured cell for each value. table: the numbers alone.
    """

    kind: ChartKind
    title: str
    rows: tuple[str, ...]
    """Names of the rows."""
    series: tuple[str, ...]
    """Names of the series."""
    values: tuple[tuple[float, ...], ...]
    """For each row a value of each series; finite."""
    row_axis: str = ""
    """What the rows are, such as "concept"."""
    value_axis: str = ""
    """What the values are, with their unit."""
    series_axis: str = ""
    """What the series are, such as CATEGORY, whose order is that of the extra of this name."""
    marked: str = ""
    """Name of the row that the maps beside the chart are of, which lines mark; "" for none."""

    def __post_init__(self) -> None:
        """Raises InputError for values of another shape, values that aren't finite, and too many or too long ones."""
        where = f"chart {self.title[:40]!r}"
        if not (0 < len(self.rows) <= MOST_ROWS and 0 < len(self.series) <= MOST_SERIES):
            raise InputError(f"{where}: 1 to {MOST_ROWS:,} rows and 1 to {MOST_SERIES} series are needed")
        if len(self.values) != len(self.rows) or any(len(row) != len(self.series) for row in self.values):
            raise InputError(f"{where}: {len(self.rows)} rows of {len(self.series)} values are needed, one a series")
        if not all(math.isfinite(value) and abs(value) <= LARGEST for row in self.values for value in row):
            raise InputError(f"{where}: values must be finite numbers up to {LARGEST:g}")
        texts = (self.title, self.row_axis, self.value_axis, self.series_axis, self.marked, *self.rows, *self.series)
        if max(map(len, texts)) > MOST_LENGTH:
            raise InputError(f"{where}: its texts may have {MOST_LENGTH} characters each")


def fitted_chart(
    kind: ChartKind,
    title: str,
    rows: Sequence[str],
    series: Sequence[str],
    values: np.ndarray,
    *,
    row_axis: str = "",
    value_axis: str = "",
    series_axis: str = "",
) -> Chart:
    """Returns a chart of the first rows and series, cut to the sizes that charts have.

    values: (rows, series) numbers; those that aren't finite become 0.
    """
    cut = np.nan_to_num(np.asarray(values, float)[:MOST_ROWS, :MOST_SERIES], posinf=0.0, neginf=0.0)
    names = tuple(text[:MOST_LENGTH] for text in (title, row_axis, value_axis, series_axis))
    return Chart(
        kind,
        names[0],
        tuple(name[:MOST_LENGTH] for name in rows[:MOST_ROWS]),
        tuple(name[:MOST_LENGTH] for name in series[:MOST_SERIES]),
        tuple(tuple(float(f"{value:.6g}") for value in row) for row in cut.clip(-LARGEST, LARGEST).tolist()),
        *names[1:],
    )


def describe_chart(chart: Chart) -> dict[str, Any]:
    """Returns a chart as JSON values."""
    lists = {"rows": list(chart.rows), "series": list(chart.series), "values": [list(row) for row in chart.values]}
    return dict(vars(chart)) | lists


def spread_places(count: int, most: int) -> list[int]:
    """Returns at most so many of the places 0 to count - 1, spread evenly, with the first and the last."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist()


def chart_entries(labels: Sequence[str], bars: Sequence[Mapping[str, Chart]], axis: str) -> dict[str, Chart]:
    """Returns by method the lengths of its bars as lines over the entries of a series along an axis.

    labels: of the entries. bars: by method, of each entry; one without some bars has 0 there. Of many entries some are
    left out evenly.
    """
    places = spread_places(len(labels), MOST_ROWS)
    names, shown = [labels[place] for place in places], [bars[place] for place in places]
    methods = dict.fromkeys(method for own in shown for method in own)
    return {method: _bars_as_lines(names, [own.get(method) for own in shown], axis) for method in methods}


def _bars_as_lines(names: Sequence[str], bars: Sequence[Chart | None], axis: str) -> Chart:
    known = [chart for chart in bars if chart is not None]
    lengths = [dict(zip(chart.rows, map(sum, chart.values), strict=True)) if chart else {} for chart in bars]
    rows = dict.fromkeys(row for own in lengths for row in own)
    longest = sorted(rows, key=lambda row: -sum(abs(own.get(row, 0.0)) for own in lengths))[:MOST_LINES]
    titles = {chart.title for chart in known}
    return fitted_chart(
        "lines",
        titles.pop() if len(titles) == 1 else known[0].value_axis or known[0].title,
        names,
        longest,
        np.array([[own.get(row, 0.0) for row in longest] for own in lengths]),
        row_axis=axis,
        value_axis=known[0].value_axis,
    )
