"""What a method says about channels, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..torch_bridge.recording import ACTIVATIONS, FLAGS, Maps, Recording
from ..torch_bridge.recording.errors import UnknownName

MOST_ROWS, MOST_LINKS, LONGEST = 32, 4, 80
"""Rows of a layer, links and boxes of a channel, and characters of a label."""
LINKS = "weights:"


def table(made: Sequence[Maps], channels: Sequence[int]) -> str:
    """A few lines for each layer; channels: that were asked about, () for all."""
    return "\n\n".join("\n".join(_of_layer(maps, channels)) for maps in made) or "the method has nothing to say here"


def check_method(recording: Recording, method: str) -> None:
    """Raise UnknownName where a recording has no maps of a method; without any, a hall of empty boards stands."""
    there = dict.fromkeys(how for _, how in recording.all_maps)
    if method not in there and (there or method != ACTIVATIONS):
        raise UnknownName("method in the recording", method, there)


def told(maps: Maps, channels: Sequence[int]) -> list[int]:
    """Channels that there is something to see of: those asked about, without pictures that were not made."""
    if maps.channels == 1:
        return [0]
    among = [one for one in channels if one < maps.channels] or range(maps.channels)
    return [one for one in among if not maps.colour or maps.texels[one, ..., 3].any()]


def _of_layer(maps: Maps, channels: Sequence[int]) -> Iterator[str]:
    count, height, width = maps.shape
    what = "values" if height == width == 1 and not maps.colour else f"of {height} × {width}"
    yield f"{maps.layer}   {count} {what if what == 'values' else f'channels {what}'}"
    there = told(maps, channels)
    columns = _columns(maps, there[:MOST_ROWS])
    if len(columns) == 1:
        return
    widths = [max(map(len, cells)) for cells in columns]
    for cells in zip(*columns, strict=True):
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"  {line}".rstrip()
    if len(there) > MOST_ROWS:
        yield f"  … and {len(there) - MOST_ROWS:,} more; -o keeps all of them"


def _columns(maps: Maps, there: Sequence[int]) -> list[list[str]]:
    """Columns with their heads; those that say nothing are left out."""
    number, values = ("value", maps.extras["values"]) if "values" in maps.extras else ("peak", maps.peak)
    cells = {
        "channel": [str(one) for one in there],
        number: [f"{float(values[one]):.4g}" for one in there] if number == "value" or not maps.colour else [],
        "label": [_short(maps.labels[one]) for one in there] if maps.labels else [],
        "flags": [flags_of(maps, one) for one in there],
        "boxes": [_boxes(maps, one) for one in there],
        **{f"of {name.removeprefix(LINKS)}": [_links(links, one) for one in there]
           for name, links in maps.extras.items() if name.startswith(LINKS)},
    }  # fmt: skip
    return [[head, *column] for head, column in cells.items() if any(column) or head == "channel"]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def flags_of(maps: Maps, channel: int) -> str:
    """The words of a channel's flags, "" for none."""
    bits = int(maps.extras["flags"][channel]) if "flags" in maps.extras else 0
    return ", ".join(word for k, word in enumerate(FLAGS) if bits >> k & 1)


def _boxes(maps: Maps, channel: int) -> str:
    """ "0.93 at 12–48 × 30–80 %": score, then across and down, in shares of the frame."""
    rows = [row for row in np.asarray(maps.extras.get("boxes", ())).reshape(-1, 6) if int(row[0]) == channel]
    best = sorted(rows, key=lambda row: -row[5])[:MOST_LINKS]
    return "; ".join(
        f"{score:.2f} at {100 * x0:.0f}–{100 * x1:.0f} × {100 * y0:.0f}–{100 * y1:.0f} %"
        for _, x0, y0, x1, y1, score in best
    )


def _links(links: np.ndarray, channel: int) -> str:
    """ "3 (+0.52), 7 (−0.31)": the strongest channels of the other layer."""
    rows = [row for row in links.reshape(-1, 3) if int(row[0]) == channel]
    best = sorted(rows, key=lambda row: -abs(row[2]))[:MOST_LINKS]
    return ", ".join(f"{int(other)} ({weight:+.3g})" for _, other, weight in best)
