"""Bars and cells of charts: named rows with the series end to end, and matrices of numbers on coloured cells."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np

from ....torch_bridge.recording import Chart
from ..number_text import format_alike
from ..primitives import FLAT, Plan, Plane, Style
from .area import Area

MOST_BARS, MOST_ROWS, MOST_COLUMNS = 8, 8, 12
"""Bars, and rows and columns of a matrix, that are shown: more would be too small to read in a hall."""
COLOURS = ("bar", "skip", "joined", "data", "plus", "sum", "quiet")
"""Colours of series in their order; the eighth has that of the first. A letter tells them apart too."""
TEXT, PITCH, SHARE = 0.24, 0.42, 0.75
"""Most size of names and numbers and most height of a row in metres; size of them as a share of a row's height."""
NAMES, KEY, WRAP = 0.4, 0.16, 1.25
"""Most of the width that names of rows take, as a share; size of the names of series in metres; length of them, as a
share of the width, from which on they stand in two lines."""
DEEPEST = 0.45
"""Share of a bar's colour that a cell has at most behind light numbers: dark ones would be too thin on it."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Shares of linear red, green and blue in the luminance."""
LEAST_LETTER = 0.06
"""Size of the smallest letter on a bar, metres."""
CELL_TEXT = 0.17
"""Most size of the names of a matrix, metres."""
LIFT, OVER = 0.014, 0.022
"""Metres before the board of bars and of what lies over them."""


def series_letters(names: Sequence[str]) -> tuple[str, ...]:
    """Returns a letter for each series: initials if they differ, else A, B, C and so on."""
    initials = tuple(name[:1].upper() for name in names)
    if len(set(initials)) == len(names) and all(initial.isalnum() for initial in initials):
        return initials
    return tuple(ascii_uppercase[k % len(ascii_uppercase)] for k in range(len(names)))


def series_colour(place: int) -> str:
    """Returns the theme's role that colours a series, by its place."""
    return COLOURS[place % len(COLOURS)]


def add_bars(plan: Plan, chart: Chart, area: Area) -> str:
    """Adds a bar for each of the first rows on one scale around zero; returns how many more there are, or ""."""
    values = np.array(chart.values[:MOST_BARS], float)
    if len(chart.series) > 1:
        area = _add_key(plan, chart.series, np.flatnonzero(values.any(0)).tolist(), area)
    low, high = np.minimum(values, 0).sum(1).min(), np.maximum(values, 0).sum(1).max()
    pitch = min(PITCH, area.height / len(values))
    text = min(TEXT, SHARE * pitch)
    taken = Area(area.left, area.top - pitch * len(values), area.width, pitch * len(values))
    numbers = format_alike(values.sum(1), 3)
    room = max(plan.style.measure(number, "sans") for number in numbers) * text
    left = area.left + _names_width(plan.style, chart.rows[: len(values)], text, area.width)
    track = left, area.right - room - 0.1
    scale = (track[1] - track[0]) / ((high - low) or 1.0)
    for number, (name, row) in enumerate(zip(chart.rows, values, strict=False)):
        strip = taken.row(number, len(values))
        y = strip.bottom + 0.25 * pitch, strip.bottom + 0.75 * pitch
        base = strip.bottom + pitch / 2 - 0.26 * text
        plan.text(FLAT, name, plan.style.fit(name, left - area.left - 0.1, text), x=area.left, y=base)
        plan.text(FLAT, numbers[number], text, "quiet", x=area.right, y=base, align="right")
        plan.box(FLAT, track, (y[0] + 0.18 * pitch, y[1] - 0.18 * pitch), "track", LIFT - 0.004)
        _add_row(plan, chart, row, (track[0] - low * scale, scale), y)
    return _more(len(chart.rows) - len(values), "row")


def _add_row(plan: Plan, chart: Chart, row: np.ndarray, axis: tuple[float, float], y: tuple[float, float]) -> None:
    """Adds the bars of a row end to end, with letters where they have room. axis: x of zero, and metres a unit."""
    ends, letters, most = {1: axis[0], -1: axis[0]}, series_letters(chart.series), 0.9 * (y[1] - y[0])
    for place, value in enumerate(row.tolist()):
        sign = 1 if value >= 0 else -1
        start, end = ends[sign], ends[sign] + value * axis[1]
        ends[sign] = end
        single = "bar" if sign > 0 else "skip"
        colour = series_colour(place) if len(row) > 1 else single
        if value:
            plan.box(FLAT, (min(start, end), max(start, end)), y, colour, LIFT)
        size = min(most, 1.2 * abs(end - start))
        if len(row) > 1 and size > LEAST_LETTER:
            middle, base = (start + end) / 2, (y[0] + y[1]) / 2 - 0.26 * size
            plan.text(FLAT, letters[place], size, "board", x=middle, y=base, align="centre", lift=OVER)


def _add_key(plan: Plan, names: Sequence[str], places: Sequence[int], area: Area) -> Area:
    """Adds the names of series at some places, behind chips of colours and letters; returns the area below them."""
    letters = series_letters(names)
    widths = [plan.style.measure(names[place], "sans") + 1.9 for place in places]
    size, lines = _broken(widths, area.width)
    for number, line in enumerate(lines):
        x, y = area.left, area.top - KEY - 1.3 * size * number
        for place, width in zip(places[line.start : line.stop], widths[line.start : line.stop], strict=True):
            plan.box(FLAT, (x, x + size), (y - 0.2 * size, y + 0.8 * size), series_colour(place), LIFT)
            plan.text(FLAT, letters[place], size, "board", x=x + size / 2, y=y, align="centre", lift=OVER)
            plan.text(FLAT, names[place], size, "quiet", x=x + 1.3 * size, y=y)
            x += width * size
    return area._replace(height=area.height - 1.5 * KEY - 1.3 * size * (len(lines) - 1))


def _broken(widths: Sequence[float], room: float) -> tuple[float, list[range]]:
    """Returns the largest size at which names stand in two lines at most, and the lines as ranges of places.

    widths: lengths of the names as shares of their size, each with the gap behind it. room: metres.
    """
    size, wide = KEY, KEY * sum(widths) <= WRAP * room
    while True:
        starts, x = [0], 0.0
        for place, width in enumerate(widths):
            if x and x + (width - 0.6) * size > room:
                starts, x = [*starts, place], 0.0
            x += width * size
        fits = all((width - 0.6) * size <= room for width in widths)
        if fits and len(starts) <= (1 if wide else 2):
            return size, [range(*ends) for ends in zip(starts, [*starts[1:], len(widths)], strict=True)]
        size *= 0.95


def add_matrix(plan: Plan, chart: Chart, area: Area) -> str:
    """Adds a cell for each value with its number, the larger, the more colour; returns how much is left out, or ""."""
    values = np.array(chart.values, float)[:MOST_ROWS, :MOST_COLUMNS]
    rows, columns = values.shape
    style, names = plan.style, chart.series[:columns]
    size = min(CELL_TEXT, SHARE * area.height / (rows + 1))
    left = area.left + _names_width(style, chart.rows[:rows], size, area.width)
    wide = min((area.right - left) / columns, 0.8)
    size = min(size, 0.7 * wide)
    longest = max(style.measure(name, "sans") for name in names)
    upright = longest * size > 0.95 * wide
    head = min(longest * size, 0.3 * area.height) if upright else size
    high = min((area.height - head - 0.08) / rows, PITCH)
    top = area.top - head - 0.08
    fitting = [style.fit(name, head, size) for name in names]
    common = float(np.median(fitting))  # so that short names aren't larger than most
    for column, name in enumerate(names):
        middle = left + (column + 0.5) * wide
        if upright:
            letters = min(fitting[column], common)
            plane = Plane(np.array([middle + 0.26 * letters, top + 0.05, 0.0]), FLAT.up, -FLAT.right)
            plan.text(plane, name, letters, "quiet")
        else:
            plan.text(FLAT, name, size, "quiet", x=middle, y=top + 0.06, align="centre")
    peak = float(np.abs(values).max()) or 1.0
    flat = format_alike(values.ravel(), 2)
    texts = [flat[row * columns : (row + 1) * columns] for row in range(rows)]
    longest = max(style.measure(text, "sans") for row in texts for text in row)
    number = min(0.62 * high, 0.9 * wide / longest)
    for row, name in enumerate(chart.rows[:rows]):
        low = top - (row + 1) * high
        base = low + high / 2 - 0.26 * size
        plan.text(FLAT, name, style.fit(name, left - area.left - 0.1, min(size, 0.9 * high)), x=area.left, y=base)
        for column, text in enumerate(texts[row]):
            x, share = left + column * wide, values[row, column] / peak
            colour = _cell(style, share)
            plan.box(FLAT, (x + 0.01, x + wide - 0.01), (low + 0.01, low + high - 0.01), colour, LIFT)
            y = low + high / 2 - 0.26 * number
            plan.text(FLAT, text, number, _ink(style, colour), x=x + wide / 2, y=y, align="centre", lift=OVER)
    hidden = (len(chart.rows) - rows, "row"), (len(chart.series) - columns, "column")
    return ", ".join(filter(None, (_more(count, noun) for count, noun in hidden)))


def _cell(style: Style, share: float) -> np.ndarray:
    """Returns the linear RGB (3,) of a value -1..1: the larger its size, the less like a track."""
    track, end = style.colour("track"), style.colour("bar" if share >= 0 else "skip")
    is_dark = style.colour("text").sum() > style.colour("board").sum()
    return np.asarray(track + (end - track) * abs(share) * (DEEPEST if is_dark else 1.0))


def _ink(style: Style, cell: np.ndarray) -> str:
    """Returns the role, text or board, whose contrast with a cell's linear RGB (3,) is larger, as WCAG measures it."""
    shine = float(cell @ LUMINANCE) + 0.05
    ratios = {role: (float(style.colour(role) @ LUMINANCE) + 0.05) / shine for role in ("text", "board")}
    return max(ratios, key=lambda role: max(ratios[role], 1 / ratios[role]))


def _names_width(style: Style, names: Sequence[str], size: float, width: float) -> float:
    """Returns the metres that names of rows of this size take, with the gap behind them."""
    return min(max(style.measure(name, "sans") for name in names) * size + 0.12, NAMES * width)


def _more(count: int, noun: str) -> str:
    return f"{count:,} more {noun}{'s' * (count > 1)}" if count > 0 else ""
