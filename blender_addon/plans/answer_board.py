"""The boards at the end of a hall, one for each output: classes, pictures, boxes, tokens, embeddings and the like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...torch_bridge.recording import Endpoint, Recording
from ..layout.boards import Board
from .board_contents import number_maps, tokens, waveforms
from .board_contents.area import Area
from .board_contents.mosaics import mosaic
from .number_text import format_number, format_percent
from .primitives import FLAT, Interval, Picture, Plan, Style, aspect_size, wall
from .shown_endpoints import hidden_counts, mosaic_of, pixels_of, shown_outputs

WIDTH, HEIGHT = 3.4, 2.45
LEFT, RIGHT = 0.15, 3.25
"""Size of the board and the ends of its rows, metres."""
AREA = Area(LEFT, 0.2, RIGHT - LEFT, HEIGHT - 0.4)
"""The part of the board that tokens, waveforms and maps of numbers are drawn into."""
ROWS = 5
HEAD, NAME, MASK, MOST_HEAD = 0.26, 0.26, 2.05, 0.4
"""Size of the text over the board and of its names; longer side of a mask; largest text over the board; metres."""
HEADS = {
    "classes": "prediction",
    "picture": "generated picture",
    "mask": "segmentation",
    "boxes": "detections",
    "numbers": "output",
    "flow": "optical flow",
    "none": "output",
}
"""What is written over the only board, by kind; for all other kinds their name."""


def plan_answers(
    recording: Recording, style: Style, places: list[Board] | None = None, least: float = 0.0
) -> list[Plan]:
    """Plans a board for each shown output, WIDTH by HEIGHT metres times the board's scale, with its picture.

    The plan of an older recording without an answer is empty. places: where they stand; None for plans without
    placement. least: size in metres of the smallest text that can be read, in a figure.
    """
    outputs, (_, hidden) = shown_outputs(recording), hidden_counts(recording)
    plans = []
    for number, output in enumerate(outputs):
        plan = Plan(style, "Answer", "answer board", number=number)
        if places is not None:
            plan.placement, plan.scale = wall(places[number].position, places[number].yaw), places[number].scale
        if output.kind != "none" or output.layer:
            rest = hidden if number == len(outputs) - 1 else 0
            _add_board(plan, recording, output, max(len(outputs), len(recording.outputs)) > 1, rest, least / plan.scale)
        plans.append(plan)
    return plans


def _add_board(plan: Plan, recording: Recording, output: Endpoint, has_others: bool, hidden: int, least: float) -> None:
    """Adds frame, texts over it, picture and content of one output. hidden: number of outputs without a board."""
    plan.frame(FLAT, (WIDTH, HEIGHT))
    kind = HEADS.get(output.kind, output.kind)
    note = _rest_note(output) or (f"and {hidden:,} more outputs" if hidden else "")
    _add_head(
        plan, output.name or kind if has_others else kind, kind if has_others and output.name else "", note, least
    )
    pixels = picture_of(recording, output)
    if pixels is not None:
        corner, size = _picture_place(pixels, output.kind)
        place = FLAT.moved(*corner)
        plan.pictures.append(Picture("Answer", "answer", pixels, place, size, plan.number, mosaic_of(output)))
    if output.values is not None and output.kind in WRITERS:
        WRITERS[output.kind](plan, output, pixels)
    elif pixels is None:
        text = " × ".join(map(str, output.shape)) or "nothing to draw"
        plan.text(FLAT, text, plan.style.fit(text, 3.0, NAME), "quiet", x=WIDTH / 2, y=HEIGHT / 2, align="centre")


def _rest_note(output: Endpoint) -> str:
    """Returns how many numbers have no room on a board of a list of numbers, "" if all have."""
    values = output.values
    is_list = output.kind == "numbers" and values is not None and 1 in values.shape
    return f"and {values.size - ROWS:,} more" if is_list and values is not None and values.size > ROWS else ""


def _add_head(plan: Plan, name: str, kind: str, note: str, least: float) -> None:
    """Adds the texts over a board, none of which touches another: its name, quieter its kind, and a note at the end.

    What would be smaller than `least` is left out, or the beginning of a dotted name.
    """
    room, style, y, head = WIDTH, plan.style, HEIGHT + 0.13, min(max(HEAD, least), MOST_HEAD)
    if note:
        size = style.fit(note, 0.55 * WIDTH, head)
        room -= plan.text(FLAT, note, size, "quiet", x=WIDTH, y=y, align="right") + 0.5 * head
    name = short_name(name, room / least, style) if least else name
    rest = room - style.measure(name, "sans") * head - 0.5 * head
    kind = kind if style.fit(kind, max(rest, 0.35 * room if not least else 0.0), 0.7 * head) > 0.65 * least else ""
    share = 0.65 * room if kind and not least else room
    end = plan.text(FLAT, name, style.fit(name, share, head), "text" if kind or least else "quiet", y=y)
    if kind:
        x = end + 0.5 * head
        plan.text(FLAT, kind, style.fit(kind, room - x, 0.7 * head), "quiet", x=x, y=y)


def short_name(name: str, room: float, style: Style) -> str:
    """Returns a dotted name without its first parts where it is longer than `room`, in heights of its text."""
    parts = name.split(".")
    shorter = (name, *("…" + ".".join(parts[k:]) for k in range(1, len(parts))))
    return next((text for text in shorter if style.measure(text, "sans") <= room), shorter[-1])


def _add_classes(plan: Plan, output: Endpoint, picture: np.ndarray | None) -> None:
    """Adds names and bars on one scale of 0 to 100 %, the first in colour."""
    for row, (name, share) in enumerate(named_shares(output)):
        _add_row(plan, row, name, format_percent(share), share, "bar" if row == 0 else "quiet")


def named_shares(output: Endpoint) -> list[tuple[str, float]]:
    """Returns name and share of the first classes."""
    rows = np.zeros((0, 2)) if output.values is None else output.values[:ROWS]
    names = output.labels or [f"class {int(index)}" for index in np.nan_to_num(rows[:, 0])]
    return [(names[row], float(np.nan_to_num(share))) for row, (_, share) in enumerate(rows)]


def _add_row(plan: Plan, row: int, name: str, value: str, share: float, colour: str) -> None:
    """Adds one of the five rows: name left, value right, bar below; `share` 0..1 of the bar's track."""
    y, ink = 2.08 - 0.46 * row, "text" if row == 0 else "quiet"
    end = plan.text(FLAT, value, NAME, ink, x=RIGHT, y=y, align="right")
    plan.text(FLAT, name, plan.style.fit(name, RIGHT - LEFT - end - 0.15, NAME), ink, x=LEFT, y=y)
    plan.box(FLAT, (LEFT, RIGHT), (y - 0.15, y - 0.08), "track", 0.012)
    length = (RIGHT - LEFT) * min(max(share, 0.0), 1.0)
    if length:
        plan.box(FLAT, (LEFT, LEFT + max(0.01, length)), (y - 0.15, y - 0.08), colour, 0.018)


def _add_numbers(plan: Plan, output: Endpoint, picture: np.ndarray | None) -> None:
    """Adds the first five of a list of numbers with bars against the largest of all, or cells for a matrix."""
    table = np.asarray(output.values)
    if 1 not in table.shape:
        number_maps.add_cells(plan, table, AREA)
        return
    values = table.reshape(-1).astype(float)
    names = output.labels if len(output.labels) == len(values) else [f"output {row}" for row in range(len(values))]
    most = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
    for row, value in enumerate(values[:ROWS]):
        share = abs(value) / most if np.isfinite(value) else 0.0
        _add_row(plan, row, names[row], format_number(value), share, "bar" if value >= 0 else "skip")


def _add_tokens(plan: Plan, output: Endpoint, picture: np.ndarray | None) -> None:
    """Adds the best token of each place with its probability; of a single place, a list of its best tokens."""
    rows, words = np.nan_to_num(np.asarray(output.values, float)), output.labels
    words = words or tuple(str(int(token)) for token in rows[:, 1])
    if len(set(rows[:, 0].tolist())) == 1 < len(rows):
        for row, (word, share) in enumerate(zip(words[:ROWS], rows[:, 2], strict=False)):
            _add_row(plan, row, tokens.shown_word(word), format_percent(share), share, "quiet" if row else "bar")
        return
    best: dict[float, tokens.Token] = {}
    for word, (place, _, share) in zip(words, rows, strict=True):
        best.setdefault(place, tokens.Token(word, float(share)))
    tokens.add_tokens(plan, list(best.values()), AREA)


def _add_mask_classes(plan: Plan, output: Endpoint, picture: np.ndarray | None) -> None:
    """Adds the largest classes with their share of the picture, beside the mask."""
    (left, _), (width, _) = _picture_place(picture, "mask")
    x = left + width + 0.2
    for row, (name, share) in enumerate(named_shares(output)):
        y = 2.02 - 0.45 * row
        plan.text(FLAT, name, plan.style.fit(name, RIGHT - x, NAME), x=x, y=y)
        plan.text(FLAT, format_percent(share), 0.7 * NAME, "quiet", x=x, y=y - 0.8 * NAME)


def _add_boxes(plan: Plan, output: Endpoint, picture: np.ndarray | None) -> None:
    """Adds rectangles over the input, each with its name and score."""
    (left, bottom), (width, height) = _picture_place(picture, "boxes")
    rows = np.clip(np.nan_to_num(np.asarray(output.values, float)), -1.0, 2.0)
    for place, (score, x0, y0, x1, y1) in enumerate(rows):
        x = (left + x0 * width, left + x1 * width)
        y = (bottom + (1 - y1) * height, bottom + (1 - y0) * height)
        colour, name = "skip" if place == 0 else "joined", output.labels[place] if output.labels else ""
        _add_outline(plan, x, y, colour)
        _add_tag(plan, f"{name} {format_percent(score)}".strip(), x, min(y[1], HEIGHT - 0.16), colour)


def _add_tag(plan: Plan, text: str, x: Interval, y: float, colour: str) -> None:
    """Adds a name on its own background, on a box that runs from x[0] to x[1]."""
    size = plan.style.fit(text, max(x[1] - x[0], 0.7), 0.13)
    width = plan.style.measure(text, "sans") * size
    plan.box(FLAT, (x[0] - 0.01, x[0] + width + 0.06), (y, y + 1.1 * size), "board", 0.034)
    plan.text(FLAT, text, size, colour, x=x[0] + 0.03, y=y + 0.3 * size, lift=0.04)


def _add_outline(plan: Plan, x: Interval, y: Interval, colour: str, line: float = 0.02) -> None:
    for edge in y:
        plan.box(FLAT, x, (edge - line / 2, edge + line / 2), colour, 0.03)
    for edge in x:
        plan.box(FLAT, (edge - line / 2, edge + line / 2), y, colour, 0.03)


def picture_of(recording: Recording, output: Endpoint) -> np.ndarray | None:
    """Returns the picture on the board, (H, W, 3) uint8 sRGB, top row first; None for answers without one."""
    if output.kind != "boxes":
        own = pixels_of(output)
        return None if own is None else mosaic(own)
    under = next((pixels_of(shown) for shown in recording.inputs if shown.layer == output.over), None)
    return recording.picture if under is None else under[0]


def _picture_place(pixels: np.ndarray | None, kind: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns lower left corner and size of the picture: beside the legend of a mask, else in the middle; metres."""
    pixels = np.zeros((1, 1, 3)) if pixels is None else pixels
    width, height = aspect_size(pixels, MASK if kind == "mask" else HEIGHT - 0.2)
    left = 0.12 if kind == "mask" else (WIDTH - width) / 2
    return (left, (HEIGHT - height) / 2), (width, height)


def _add_embeddings(plan: Plan, output: Endpoint, picture: np.ndarray | None) -> None:
    number_maps.add_embeddings(plan, np.asarray(output.values), output.labels, AREA)


def _add_sequence(plan: Plan, output: Endpoint, picture: np.ndarray | None) -> None:
    number_maps.add_cells(plan, np.asarray(output.values), AREA)


def _add_waveform(plan: Plan, output: Endpoint, picture: np.ndarray | None) -> None:
    waveforms.add_waveform(plan, np.asarray(output.values), AREA)


WRITERS: dict[str, Callable[[Plan, Endpoint, np.ndarray | None], None]] = {
    "classes": _add_classes,
    "numbers": _add_numbers,
    "mask": _add_mask_classes,
    "boxes": _add_boxes,
    "tokens": _add_tokens,
    "embedding": _add_embeddings,
    "sequence": _add_sequence,
    "waveform": _add_waveform,
}
"""By kind of output: what is added to the board besides a picture."""
