"""The boards of inputs at the entrance: a frame with a picture, tokens, a waveform, a table or numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...torch_bridge.recording import Endpoint, Recording
from ..layout.boards import SQUARE, Board
from .board_contents import number_maps, tokens, waveforms
from .board_contents.area import Area
from .board_contents.mosaics import mosaic
from .number_text import format_count
from .primitives import FLAT, Picture, Plan, Style, aspect_size, wall
from .shown_endpoints import hidden_counts, mosaic_of, pixels_of, shown_inputs

INPUT, CAPTION = 0.12, 0.055
"""Size of the texts over and below an input's frame, as shares of its longer side."""


def plan_inputs(recording: Recording, places: Sequence[Board], style: Style, least: float = 0.0) -> list[Plan]:
    """Plans a frame for each shown input with its picture or content, within the board's square, beside its post.

    least: size in metres of the smallest text that can be read, in a figure.
    """
    inputs, plans = shown_inputs(recording), []
    for number, (shown, board) in enumerate(zip(inputs, places, strict=True)):
        own = pixels_of(shown)
        edge = SQUARE if own is None else board.width
        plan = plan_input_frame(recording, number, edge, style, least if own is not None else least / board.scale)
        plan.placement = wall(board.position, board.yaw)
        if own is None:
            plan.scale = board.scale  # so that it can be drawn again without knowing the board
        else:
            pixels = mosaic(own)
            width, height = aspect_size(pixels, edge)
            plan.placement = plan.placement.moved(edge - width, (edge - height) / 2)
            picture = Picture("Input", "input", pixels, FLAT, (width, height), number, mosaic_of(shown))
            plan.pictures.append(picture)
        plans.append(plan)
    return plans


def plan_input_frame(recording: Recording, number: int, edge: float, style: Style, least: float = 0.0) -> Plan:
    """Plans frame, texts and content of an input, without placement, in a square of `edge` metres.

    Of an input with a picture the frame's corner is the picture's, of others that of the square.
    """
    inputs, (hidden, _) = shown_inputs(recording), hidden_counts(recording)
    shown, plan = inputs[number], Plan(style, "Input", "input frame", number=number)
    own, square = pixels_of(shown), Area(0.0, 0.0, edge, edge)
    if own is not None:
        taken = Area(0.0, 0.0, *aspect_size(mosaic(own), edge))
    elif shown.values is not None and shown.kind in INPUT_CONTENTS:
        taken = INPUT_CONTENTS[shown.kind](plan, shown, square)
    else:
        taken = _add_none(plan, shown, square)
    content, plan.items = plan.items, []
    plan.frame(FLAT.moved(taken.left, taken.bottom), (taken.width, taken.height), "text", 0.06, 0.03)
    plan.items += content
    named = (shown.name or f"input {number + 1}") if len(inputs) > 1 else "input"
    more = f"and {hidden:,} more inputs" if hidden and number == len(inputs) - 1 else ""
    _add_input_head(plan, named, more or shown.source, taken, edge, least)
    caption = input_caption(shown)
    size = style.fit(caption, edge, max(CAPTION * edge, least))
    if caption and size > 0.8 * least:
        plan.text(FLAT, caption, size, "quiet", x=taken.left, y=taken.bottom - 0.06 - 1.3 * size)
    return plan


def _add_input_head(plan: Plan, named: str, source: str, taken: Area, edge: float, least: float) -> None:
    """Adds the texts over the frame: the input's name, and quieter where its values come from."""
    size, style, y = max(INPUT * edge, least), plan.style, taken.top + 0.85 * INPUT * edge
    room = taken.width if named == "input" else edge
    if source and style.fit(source, room - style.measure(named, "sans") * size - 0.6 * size, size) < 0.8 * least:
        source = ""
    fitted = style.fit(named, 0.62 * room if source else room, size)
    head = plan.text(FLAT, named, fitted, x=taken.left, y=y)
    if source:
        fitted = style.fit(source, room - head - 0.6 * size, size)
        plan.text(FLAT, source, fitted, "quiet", x=taken.left + head + 0.6 * size, y=y)


def input_caption(shown: Endpoint) -> str:
    """Returns what stands below an input that is no plain picture: its axes and sizes; "" for a picture."""
    sizes = " × ".join(map(str, shown.shape))
    match shown.kind:
        case "volume":
            count = 0 if shown.pixels is None else len(shown.pixels)
            slices = format_count(count, "slice")
            return f"volume of {sizes}: {slices} along axis {shown.axis}, from the upper left"
        case "spectrogram":
            return f"time to the right, high frequencies above: {sizes}"
        case "tokens":
            return format_count(0 if shown.values is None else len(shown.values), "token")
        case "picture":
            return ""
    return f"{shown.kind}: {sizes}" if sizes else shown.kind


def _add_token_ids(plan: Plan, shown: Endpoint, area: Area) -> Area:
    rows = np.nan_to_num(np.asarray(shown.values, float))
    words = shown.labels or tuple(str(int(token)) for token in rows[:, 1])
    return tokens.add_tokens(plan, [tokens.Token(word) for word in words], area)


def _add_graph(plan: Plan, shown: Endpoint, area: Area) -> Area:
    """Adds a table of nodes and their features, or of edges from node to node."""
    values = np.asarray(shown.values, float)
    if "int" in shown.dtype and len(values) == 2:  # (2, edges)
        edges = values.T
        return number_maps.add_table(plan, edges, ("from", "to"), [f"edge {k}" for k in range(len(edges))], area)
    names = shown.labels or tuple(f"node {k}" for k in range(len(values)))
    return number_maps.add_table(plan, values, [f"feature {k}" for k in range(values.shape[1])], names, area)


def _add_numbers(plan: Plan, shown: Endpoint, area: Area) -> Area:
    values = np.asarray(shown.values, float)
    if 1 in values.shape:
        strip = area.middle_strip(0.4 * area.width)
        number_maps.add_embeddings(plan, values.reshape(1, -1), (), strip)
        return strip
    return number_maps.add_cells(plan, values, area)


def _add_none(plan: Plan, shown: Endpoint, area: Area) -> Area:
    text = " × ".join(map(str, shown.shape)) or "nothing to draw"
    strip = area.middle_strip(0.3 * area.width)
    size = plan.style.fit(text, 0.9 * area.width, 0.12 * area.width)
    plan.text(FLAT, text, size, "quiet", x=area.width / 2, y=strip.bottom + 0.4 * strip.height, align="centre")
    return strip


INPUT_CONTENTS: dict[str, Callable[[Plan, Endpoint, Area], Area]] = {
    "tokens": _add_token_ids,
    "waveform": lambda plan, shown, area: waveforms.add_waveform(plan, np.asarray(shown.values), area),
    "graph": _add_graph,
    "numbers": _add_numbers,
}
"""By kind of an input without a picture: adds its content, and returns the part of the area that it takes."""
