"""Formats the result of a method as a table for the terminal: one row a channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..blender_addon.plans.number_text import format_count
from ..torch_bridge.recording import LINK_PREFIX, Chart, Maps, flag_names

MOST_ROWS, MOST_SERIES, MOST_LINKS, LONGEST = 32, 12, 4, 80
"""Most rows of a layer or chart, series of a chart, links or boxes of a channel, and characters of a label."""

NO_NUMBER = "none"
METHOD_NUMBERS = {
    "scores:": ("insertion", "deletion", "difference"),
    "correlations:": (),
    "accuracy:": ("right", "by chance"),
    "sensitivity:": ("share", "random splits", "by chance"),
}
"""What the numbers of a method's or class's extras mean, by the beginning of their names; () for stages."""


def table(layer_maps: Sequence[Maps], channels: Sequence[int]) -> str:
    """Returns a block of lines for each layer; channels: those asked about, () for all."""
    blocks = ("\n".join(_layer_lines(maps, channels)) for maps in layer_maps)
    return "\n\n".join(blocks) or "the method gives no result for these layers"


def chart_table(chart: Chart) -> str:
    """Returns the first rows and series of a chart as lines of text, under its title."""
    rows, series, values = chart.rows[:MOST_ROWS], chart.series[:MOST_SERIES], chart.values[:MOST_ROWS]
    columns = [[chart.row_axis, *map(_short, rows)]]
    if chart.kind == "bars" and all(sum(map(bool, row)) <= 1 for row in values):  # a bar of one series each
        columns.append(["", *(f"{sum(row):.3g}" for row in values)])
        named = (next((name for name, value in zip(chart.series, row, strict=True) if value), "") for row in values)
        columns += [[chart.series_axis, *map(_short, named)]] if len(series) > 1 else []
    else:
        columns += [[_short(name), *(f"{row[k]:.3g}" for row in values)] for k, name in enumerate(series)]
    widths = [max(map(len, cells)) for cells in columns]
    lines = [": ".join(filter(None, (chart.title, chart.value_axis)))]
    for first, *cells in zip(*columns, strict=True):
        numbers = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([f"  {first.ljust(widths[0])}", *numbers]).rstrip())
    hidden = (len(chart.rows) - len(rows), "row"), (len(chart.series) - len(series), "column")
    if more := ", ".join(format_count(count, f"more {noun}") for count, noun in hidden if count):
        lines.append(f"  … and {more}; -o saves all of them")
    return "\n".join(lines)


def visible_channels(maps: Maps, channels: Sequence[int]) -> list[int]:
    """Returns the requested channels (() for all) that have maps, without those whose picture was not made."""
    if maps.channels == 1:
        return list(maps.numbers)
    requested = [channel for channel in channels if channel in maps.numbers] or maps.numbers
    return [channel for channel in requested if not maps.colour or maps.texels[maps.index(channel), ..., 3].any()]


def _layer_lines(maps: Maps, channels: Sequence[int]) -> Iterator[str]:
    count, height, width = maps.shape
    is_number = height == width == 1 and not maps.colour
    counted = format_count(count, "value" if is_number else "channel")
    yield f"{maps.layer}   {counted}{'' if is_number else f' of {height} × {width}'}"
    if maps.note:
        yield f"  {maps.note}"
    visible = visible_channels(maps, channels)
    columns = _columns(maps, visible[:MOST_ROWS])
    if len(columns) == 1:
        return
    widths = [max(map(len, cells)) for cells in columns]
    for cells in zip(*columns, strict=True):
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"  {line}".rstrip()
    for prefix, heads in METHOD_NUMBERS.items():
        yield from _number_lines(maps, prefix, heads)
    if len(visible) > MOST_ROWS:
        yield f"  … and {len(visible) - MOST_ROWS:,} more; -o saves all of them"


def _number_lines(maps: Maps, prefix: str, heads: tuple[str, ...]) -> Iterator[str]:
    """Yields a head and a row for each extra whose name begins with the prefix; nothing if there is none."""
    rows = {name.removeprefix(prefix): numbers for name, numbers in maps.extras.items() if name.startswith(prefix)}
    if not rows:
        return
    count = max(map(len, rows.values()))
    shown = [*heads, *(f"{k} of {count}" for k in range(1, count + 1))][: len(heads) or count]
    first = max(map(len, (prefix, *rows)))
    widths = [max(len(head), len(NO_NUMBER)) for head in shown]
    lines = {prefix.removesuffix(":"): shown} | {name: list(map(_number, numbers)) for name, numbers in rows.items()}
    for name, cells in lines.items():
        yield f"  {name:<{first}}  {'  '.join(cell.rjust(width) for cell, width in zip(cells, widths, strict=False))}"


def _number(number: float) -> str:
    return NO_NUMBER if np.isnan(number) else f"{number:.2f}"


def _columns(maps: Maps, channels: Sequence[int]) -> list[list[str]]:
    """Returns the columns of the table, each with its head; empty ones are left out."""
    number, values = ("value", maps.extras["values"]) if "values" in maps.extras else ("peak", maps.peak)
    numeric = number == "value" or not maps.colour
    places = [maps.index(channel) for channel in channels]
    cells = {
        "channel": [str(channel) for channel in channels],
        number: [f"{float(values[place]):.4g}" for place in places] if numeric else [],
        "label": [_short(maps.labels[place]) for place in places] if maps.labels else [],
        "flags": [flags_of(maps, channel) for channel in channels],
        "boxes": [_boxes(maps, channel) for channel in channels],
    }
    for name, links in maps.extras.items():
        if name.startswith(LINK_PREFIX):
            cells[f"of {name.removeprefix(LINK_PREFIX)}"] = [_links(links, channel) for channel in channels]
    return [[head, *column] for head, column in cells.items() if any(column) or head == "channel"]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def flags_of(maps: Maps, channel: int) -> str:
    """Returns the names of a channel's flags, separated by commas; "" for none."""
    bits = int(maps.extras["flags"][maps.index(channel)]) if "flags" in maps.extras else 0
    return ", ".join(flag_names(bits))


def _boxes(maps: Maps, channel: int) -> str:
    """Formats boxes as "0.93 at 12–48 × 30–80 %": score, then x and y range in percent of the frame."""
    rows = [row for row in np.asarray(maps.extras.get("boxes", ())).reshape(-1, 6) if int(row[0]) == channel]
    best = sorted(rows, key=lambda row: -row[5])[:MOST_LINKS]
    return "; ".join(
        f"{score:.2f} at {100 * x0:.0f}–{100 * x1:.0f} × {100 * y0:.0f}–{100 * y1:.0f} %"
        for _, x0, y0, x1, y1, score in best
    )


def _links(links: np.ndarray, channel: int) -> str:
    """Formats the strongest links, (n, 3) channel, other channel, weight, as "3 (+0.52), 7 (−0.31)"."""
    rows = [row for row in links.reshape(-1, 3) if int(row[0]) == channel]
    best = sorted(rows, key=lambda row: -abs(row[2]))[:MOST_LINKS]
    return ", ".join(f"{int(other)} ({weight:+.3g})" for _, other, weight in best)
