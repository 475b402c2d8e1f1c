"""A chart of measurements by condition: a dot for each seed, a bar over their range, a line at their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..blender_addon.output.page_png import png_file
from ..blender_addon.pages.page import FlatPage

Measured = Mapping[str, Sequence[Mapping[str, float]]]
"""By condition, for each seed: numbers by name."""
WIDTH, MARGIN, NAMES, ROW, HEAD = 170.0, 4.0, 30.0, 7.0, 9.0
"""Of the page, its margin, the column of names, a row and the head, mm."""
GAP, MEANS, DOT, MEAN = 5.0, 10.0, 1.3, 4.4
"""Between charts; column of mean values; side of a dot; height of the line at a mean, mm."""


def chart_file(measured: Measured) -> bytes:
    """Returns the chart as a PNG file; each measurement has its own scale, which begins at 0."""
    names = list(next(iter(measured.values()))[0])
    page = FlatPage(WIDTH, HEAD + ROW * (len(measured) + 1) + MARGIN, "paper", 200)
    page.box(0, 0, page.width, page.height, "floor")
    room = (WIDTH - 2 * MARGIN - NAMES - GAP * (len(names) - 1)) / len(names) - MEANS
    for row, condition in enumerate(measured):
        page.text(condition, MARGIN, HEAD + ROW * (row + 0.6), 8)
    for column, name in enumerate(names):
        _draw_measure(page, measured, name, MARGIN + NAMES + column * (room + MEANS + GAP), room)
    legend = "a square for each seed, a line and a number for their mean"
    page.text(legend, MARGIN + NAMES, HEAD + ROW * (len(measured) + 0.7), 7, "quiet")
    return png_file(page)


def _draw_measure(page: FlatPage, measured: Measured, name: str, left: float, room: float) -> None:
    highest = max(values[name] for seeds in measured.values() for values in seeds)
    is_share = highest <= 1
    scale = room / (1.0 if is_share else highest * 1.05)
    page.text(name, left, MARGIN + 4, 8)
    for row, seeds in enumerate(measured.values()):
        middle = HEAD + ROW * (row + 0.5)
        page.box(left, middle - 0.1, room, 0.2, "track")
        values = [seed[name] for seed in seeds]
        mean = sum(values) / len(values)
        low, high = (left + end * scale for end in (min(values), max(values)))
        page.box(low, middle - 0.5, high - low, 1.0, "joined")
        for value in values:
            page.box(left + value * scale - DOT / 2, middle - DOT / 2, DOT, DOT, "text")
        page.box(left + mean * scale - 0.25, middle - MEAN / 2, 0.5, MEAN, "skip")
        page.text(f"{mean:.0%}" if is_share else f"{mean:.1f}", left + room + MEANS, middle + 0.9, 7, align="right")
