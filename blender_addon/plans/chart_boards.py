"""The boards with the charts of a method, in a row: beside a walk's title board, beside a figure's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ...torch_bridge.recording import Chart, Recording
from ..layout.boards import BESIDE, CHARTS, MOST_CHARTS, Board
from ..properties import CHARTS_ROLE
from .board_contents.area import Area
from .board_contents.chart_bars import add_bars, add_matrix
from .board_contents.chart_lines import add_lines
from .board_contents.number_maps import add_table
from .primitives import FLAT, Plan, Style, wall

HEAD, MOST_HEAD, FOOT, MARGIN = 0.26, 0.4, 0.14, 0.15
"""Size of the title over a board and its bound, of the text at its foot, and the margin at its sides; metres."""


def shown_charts(recording: Recording, method: str) -> tuple[Chart, ...]:
    """Returns the charts of a method's maps that a hall has boards for, each once."""
    return first_charts(maps.charts for (_, name), maps in recording.all_maps.items() if name == method)


def first_charts(by_layer: Iterable[Sequence[Chart]]) -> tuple[Chart, ...]:
    """Returns the first different charts of some layers, as many as there are boards."""
    return tuple(dict.fromkeys(chart for charts in by_layer for chart in charts))[:MOST_CHARTS]


def plan_charts(charts: Sequence[Chart], style: Style, place: Board | None = None, least: float = 0.0) -> Plan:
    """Plans a board for each chart, from left to right; empty for none.

    place: of the first board; None for a plan without placement. least: size in metres of the smallest title that can
    be read, in a figure.
    """
    plan = Plan(style, "Charts", CHARTS_ROLE)
    if place is not None:
        plan.placement, plan.scale = wall(place.position, place.yaw), place.scale
    width, height = CHARTS
    for number, chart in enumerate(charts):
        left = number * (width + BESIDE)
        plan.frame(FLAT.moved(left, 0.0), CHARTS)
        size = style.fit(chart.title, width, min(max(HEAD, least), MOST_HEAD))
        plan.text(FLAT, chart.title, size, "quiet", x=left, y=height + 0.13)
        inner = Area(left + MARGIN, 0.34, width - 2 * MARGIN, height - 0.44)
        more = WRITERS[chart.kind](plan, chart, inner)
        _add_foot(plan, chart, more, inner)
    return plan


def _add_foot(plan: Plan, chart: Chart, more: str, area: Area) -> None:
    """Adds what rows and values are, and how much is left out, in one line below the content."""
    axes = " and ".join(filter(None, (chart.row_axis, chart.series_axis)))
    about = ", ".join(filter(None, (chart.value_axis, axes and f"by {axes}")))
    size = plan.style.fit(f"{about}   {more}", area.width, FOOT)
    if about:
        plan.text(FLAT, about, size, "quiet", x=area.left, y=0.12)
    if more:
        plan.text(FLAT, more, size, "quiet", x=area.right, y=0.12, align="right")


def _add_table(plan: Plan, chart: Chart, area: Area) -> str:
    add_table(plan, np.array(chart.values), chart.series, chart.rows, area)  # says itself what is left out
    return ""


WRITERS: dict[str, Callable[[Plan, Chart, Area], str]] = {
    "bars": add_bars,
    "lines": add_lines,
    "matrix": add_matrix,
    "table": _add_table,
}
"""By kind of chart: what is added to the board; returns how much of the chart has no room."""
