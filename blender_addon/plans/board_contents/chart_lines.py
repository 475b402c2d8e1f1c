"""Lines of charts: one for each series, named at its end."""

from __future__ import annotations

import numpy as np

from ....torch_bridge.recording import Chart
from ....torch_bridge.recording.charts import spread_places
from ..number_text import format_number
from ..primitives import FLAT, Colour, Plan
from .area import Area
from .chart_bars import LIFT, series_colour

MOST_LINES, MOST_POINTS = 8, 256
"""Lines that are shown, and points of each: of more points some are left out evenly."""
TEXT, LINE, GRID, MARK = 0.15, 0.022, 0.008, 0.014
"""Size of the texts, and widths of lines, of the grid and of the mark; metres."""
NAMES, ENDS = 0.3, 0.45
"""Most of the width that names of series, and that the first and the last row's name take, as shares."""


def add_lines(plan: Plan, chart: Chart, area: Area) -> str:
    """Adds a line for each of the first series, with a grid at round values; returns what is left out, or ""."""
    values = np.array(chart.values, float)[spread_places(len(chart.rows), MOST_POINTS), :MOST_LINES]
    names = chart.series[: values.shape[1]]
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    high = high if high > low else low + 1.0
    ticks = [format_number(float(f"{tick:.2g}")) for tick in (low, (low + high) / 2, high)]
    left = area.left + max(plan.style.measure(tick, "sans") for tick in ticks) * TEXT + 0.08
    longest = max(plan.style.measure(name, "sans") for name in names) * TEXT
    right = area.right - min(longest, NAMES * area.width) - 0.12
    plot = Area(left, area.bottom + 1.5 * TEXT, right - left, area.height - 2.2 * TEXT)
    for tick, text in zip((0.0, 0.5, 1.0), ticks, strict=True):
        level = plot.bottom + tick * plot.height
        plan.box(FLAT, (plot.left, plot.right), (level - GRID / 2, level + GRID / 2), "track", LIFT - 0.004)
        plan.text(FLAT, text, TEXT, "quiet", x=plot.left - 0.08, y=level - 0.26 * TEXT, align="right")
    _add_ends(plan, chart, plot)
    if chart.marked in chart.rows and len(chart.rows) > 1:
        marked = plot.left + chart.rows.index(chart.marked) / (len(chart.rows) - 1) * plot.width
        plan.box(FLAT, (marked - MARK / 2, marked + MARK / 2), (plot.bottom, plot.top), "text", LIFT - 0.002)
    x = plot.left + np.linspace(0, 1, len(values)) * plot.width if len(values) > 1 else np.array([plot.right])
    y = plot.bottom + (values - low) / (high - low) * plot.height
    for place in range(len(names)):
        _add_line(plan, np.stack([x, y[:, place]], 1), series_colour(place), LIFT + 0.001 * place)
    _add_names(plan, names, y[-1], plot, area.right)
    left_out = len(chart.series) - len(names)
    return f"{left_out} more line{'s' * (left_out > 1)}" if left_out else ""


def _add_ends(plan: Plan, chart: Chart, plot: Area) -> None:
    """Adds the names of the first and the last row below the plot."""
    if len(chart.rows) > 1:
        room = ENDS * plot.width
        for name, x, align in ((chart.rows[0], plot.left, "left"), (chart.rows[-1], plot.right, "right")):
            size, y = plan.style.fit(name, room, TEXT), plot.bottom - 1.3 * TEXT
            plan.text(FLAT, name, size, "quiet", x=x, y=y, align="left" if align == "left" else "right")


def _add_line(plan: Plan, points: np.ndarray, colour: Colour, lift: float) -> None:
    """Adds a line through points (n, 2) in metres, with a square at each of a few."""
    start, end = points[:-1], points[1:]
    step = end - start
    normal = np.stack([-step[:, 1], step[:, 0]], 1) / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-9)
    side = LINE / 2 * normal
    corners = np.stack([start - side, end - side, end + side, start + side], 1)
    if len(corners):
        plan.quads(FLAT.points(corners[..., 0], corners[..., 1], lift), colour)
    for x, y in points if len(points) <= 24 else points[-1:]:
        plan.box(FLAT, (x - LINE, x + LINE), (y - LINE, y + LINE), colour, lift + 0.0005)


def _add_names(plan: Plan, names: tuple[str, ...], heights: np.ndarray, plot: Area, right: float) -> None:
    """Adds each line's name beside its end, in its colour, moved up or down until no two touch."""
    gap = min(1.15 * TEXT, plot.height / len(names))
    size, order = min(TEXT, gap / 1.15), np.argsort(heights, kind="stable")
    places = np.empty(len(names))
    lowest = plot.bottom
    for rank, place in enumerate(order):
        above = gap * (len(names) - 1 - rank)  # room for those over it
        places[place] = lowest = min(max(heights[place], lowest), plot.top - above)
        lowest += gap
    for place, name in enumerate(names):
        fitted = plan.style.fit(name, right - plot.right - 0.08, size)
        colour = series_colour(place)
        plan.text(FLAT, name, fitted, colour, x=plot.right + 0.08, y=places[place] - 0.26 * fitted)
