"""What methods report: flags in the corners of tiles with a legend, boxes on tiles and the input, and notes of maps.

Where a panel shows only some channels, each tile has the number of its channel.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...torch_bridge.recording import FLAGS, flag_names
from ..imaging.tile_grids import TileGrid
from ..layout.figure_projection import TEXT_DROP, TEXT_INDENT, TEXT_ROOM
from ..layout.hall_model import PANEL_BOTTOM
from ..layout.label_placement import COUNT_SIZE, WALK_NAME_SIZE
from .primitives import FLAT, Colour, Interval, Plan, Plane, Style

LETTERS = dict(zip(FLAGS, ("D", "=", "S", "A", "!"), strict=True))
COLOURS = dict(zip(FLAGS, ("quiet", "joined", "skip", "bar", "text"), strict=True))
"""Each flag has a letter and a colour; each identifies it alone."""
LIFT, INPUT_LIFT = 0.008, 0.045
"""Metres before the tiles, and before the input's frame, whose picture and overlay stand at 0.02 and 0.03."""
CHIP, CHIP_LEAST, CHIP_MOST = 0.26, 0.010, 0.075
"""Side of a flag's chip as a share of the tile's shorter side, and its bounds in metres."""
LEGEND, LEGEND_DROP = 0.085, 0.17
"""Size of the legend's text, and how far its line lies below the tiles; metres."""
POSITION_SIZE = WALK_NAME_SIZE * COUNT_SIZE
"""Size of the text that says for a walker which frame or window is shown, metres."""
NOTE, NOTE_ROOM, NOTE_DROP, NOTE_LINES = 0.05, 0.6, 0.10, 4
"""Size of a note's text, least width of its lines, distance to the line above it (metres), and most lines."""
WHOLE = 0.01
"""A box whose distance from all edges is a smaller share than this counts as covering the whole map."""
NUMBER, NUMBER_LEAST, NUMBER_MOST = 0.11, 0.010, 0.075
"""Size of a channel's number as a share of the tile's shorter side, and its bounds in metres."""
LINE, LINE_MOST = 0.022, 0.012
"""Width of a box's line as a share of the shorter side of what it lies on, and its bound in metres."""


def plan_annotations(
    boxes: np.ndarray,
    flags: np.ndarray,
    places: np.ndarray,
    grid: TileGrid,
    width: float,
    style: Style,
    position: str = "",
    text_size: float = POSITION_SIZE,
    *,
    note: str = "",
    numbered: bool = False,
) -> Plan:
    """Plans the annotations of a panel whose tiles are `width` metres wide, in the panel's coordinates.

    boxes: (n, 6) float: channel, x0, y0, x1, y1 (shares of the tile, from its upper left), score. flags: (C,) int32,
    bits of FLAGS. places: (C,) int, the place of each channel on the grid, -1 for none. position: which frame or
    window of the input is shown; it stands below the tiles, `text_size` metres high or less; 0 for no text. note: that
    of the maps, which stands below all else. numbered: write each tile's channel on it.
    """
    plan = Plan(style)
    for box in informative_boxes(boxes):
        if 0 <= box[0] < len(places) and places[int(box[0])] >= 0:
            _add_tile_box(plan, grid, places[int(box[0])], np.clip(box[1:5], 0, 1), best=_is_best(box, boxes))
    edge = chip_edge(grid)
    for channel in np.flatnonzero(flags):
        if places[channel] >= 0:
            x, y = grid.inside(places[channel], 0.0, 0.0)
            for k, flag in enumerate(flag_names(int(flags[channel]))):
                _add_chip(plan, flag, x + k * 1.1 * edge, y - edge, edge)
    for channel in np.flatnonzero(places >= 0) if numbered else ():
        x, y = grid.inside(places[channel], 0.0, 1.0)
        _add_tag(plan, str(channel), float(x), float(y), number_size(grid), "board", "text", LIFT + 0.004)  # over boxes
    if flags.any():
        _add_legend(plan, flags, width)
    lowest = -LEGEND_DROP if flags.any() else 0.0
    if position and text_size:
        size = style.fit(position, max(width, TEXT_ROOM), text_size)
        lowest -= TEXT_DROP * text_size
        plan.text(FLAT, position, size, "quiet", x=TEXT_INDENT * text_size, y=lowest)
    _add_note(plan, note, max(width, NOTE_ROOM), min(lowest - NOTE_DROP, -LEGEND_DROP))
    return plan


def plan_input_boxes(boxes: np.ndarray, labels: Mapping[int, str], size: tuple[float, float], style: Style) -> Plan:
    """Plans boxes over an input of `size` metres, the best of each channel with its label and score.

    boxes: (n, 6) float: channel, x0, y0, x1, y1 (shares of the input, from its upper left), score; best first. labels:
    by channel.
    """
    plan, (width, height) = Plan(style), size
    line = box_line(min(size))
    for box in boxes[::-1]:  # the best ones last, so that they lie over the others
        x0, y0, x1, y1 = np.clip(box[1:5], 0, 1)
        best = _is_best(box, boxes)
        x, y = (x0 * width, x1 * width), ((1 - y1) * height, (1 - y0) * height)
        add_outline(plan, FLAT, x, y, line, "skip" if best else "sum", INPUT_LIFT)
        if best:
            text = f"{labels.get(int(box[0]), '')} {box[5]:.2f}".strip()
            top = min(y[1], height - 0.06 * height)
            _add_tag(plan, text, x[0], top, 0.05 * height, "skip", "board", INPUT_LIFT + 0.004)
    return plan


def informative_boxes(boxes: np.ndarray) -> np.ndarray:
    """Returns the boxes (n, 6) float without those that surround the whole map."""
    whole = (boxes[:, 1:3] < WHOLE).all(1) & (boxes[:, 3:5] > 1 - WHOLE).all(1)
    return boxes[~whole]


def box_line(side: float) -> float:
    """Returns the width of a box's line in metres. side: the shorter one of what it lies on, metres."""
    return min(LINE * side, LINE_MOST)


def chip_edge(grid: TileGrid) -> float:
    """Returns the side of a flag's chip in metres."""
    return float(np.clip(CHIP * min(grid.cell), CHIP_LEAST, CHIP_MOST))


def number_size(grid: TileGrid) -> float:
    """Returns the size of a channel's number on its tile in metres."""
    return float(np.clip(NUMBER * min(grid.cell), NUMBER_LEAST, NUMBER_MOST))


def _is_best(box: np.ndarray, boxes: np.ndarray) -> bool:
    return bool(box[5] >= boxes[boxes[:, 0] == box[0], 5].max())


def _add_chip(plan: Plan, flag: str, x: float, y: float, edge: float) -> None:
    """Adds a square in the flag's colour, its lower left corner at (x, y), with its letter."""
    plan.box(FLAT, (x, x + edge), (y, y + edge), COLOURS[flag], LIFT)
    plane = FLAT.moved(x + edge / 2, y + 0.19 * edge, LIFT)
    plan.text(plane, LETTERS[flag], 1.2 * edge, "board", align="centre", lift=0.002)


def _add_legend(plan: Plan, flags: np.ndarray, room: float) -> None:
    """Adds "D dead 12   S saturated 3" below the panel."""
    counts = {flag: int(np.count_nonzero(flags >> k & 1)) for k, flag in enumerate(FLAGS)}
    texts = {flag: f"{flag} {count:,}" for flag, count in counts.items() if count}
    widths = [1.2 + plan.style.measure(text, "sans") + 1.2 for text in texts.values()]
    size = min(LEGEND, room / (sum(widths) - 1.2))
    x = 0.0
    for (flag, text), width in zip(texts.items(), widths, strict=True):
        _add_chip(plan, flag, x, -LEGEND_DROP, 0.9 * size)
        plan.text(FLAT, text, size, "quiet", x=x + 1.2 * size, y=-LEGEND_DROP + 0.19 * size, lift=LIFT)
        x += width * size


def _add_note(plan: Plan, note: str, room: float, y: float) -> None:
    """Adds the note of a panel's maps in a few lines from y down, above the floor if one line has room there."""
    size, depth = NOTE, max(PANEL_BOTTOM + y, 0.5 * NOTE)
    while len(lines := plan.style.wrap(note, room, size)) > min(NOTE_LINES, 1 + depth / (1.25 * size)):
        size *= 0.9
    for number, line in enumerate(lines):
        fitted = plan.style.fit(line, room, size)
        plan.text(FLAT, line, fitted, "skip", y=y - 1.25 * size * number, lift=LIFT)


def _add_tile_box(plan: Plan, grid: TileGrid, place: int, corners: np.ndarray, *, best: bool) -> None:
    (x0, y1), (x1, y0) = grid.inside(place, corners[0], corners[1]), grid.inside(place, corners[2], corners[3])
    line = box_line(min(grid.cell)) * (1.0 if best else 0.6)
    add_outline(plan, FLAT, (float(x0), float(x1)), (float(y0), float(y1)), line, "skip" if best else "sum", LIFT)


def add_outline(plan: Plan, plane: Plane, x: Interval, y: Interval, line: float, colour: Colour, lift: float) -> None:
    """Adds the rim of a rectangle, its line inside it, on a darker and wider line that shows it on any map."""
    for width, line_colour, rise in ((1.7 * line, "board", 0.0), (line, colour, 0.002)):
        inset = (1.7 * line - width) / 2
        (left, right), (low, high) = (x[0] + inset, x[1] - inset), (y[0] + inset, y[1] - inset)
        for sides in ((low, low + width), (high - width, high)):
            plan.box(plane, (left, right), sides, line_colour, lift + rise)
        for sides in ((left, left + width), (right - width, right)):
            plan.box(plane, sides, (low + width, high - width), line_colour, lift + rise)


def _add_tag(
    plan: Plan, text: str, x: float, y: float, size: float, background: Colour, colour: Colour, lift: float
) -> None:
    """Adds text on a background of its own, from (x, y) to the right and up."""
    width = (plan.style.measure(text, "sans") + 0.6) * size
    plan.box(FLAT, (x, x + width), (y, y + 1.15 * size), background, lift)
    plan.text(FLAT, text, size, colour, x=x + 0.3 * size, y=y + 0.28 * size, lift=lift + 0.002)
