"""The board at the end of a hall with the network's answer: classes, a picture, a mask, boxes or numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...torch_bridge.recording import Recording
from ..layout.boards import Board
from .number_text import format_number, format_percent
from .primitives import FLAT, Interval, Picture, Plan, Style, aspect_size, wall

WIDTH, HEIGHT = 3.4, 2.45
LEFT, RIGHT = 0.15, 3.25
"""Size of the board and the ends of its rows, metres."""
ROWS = 5
HEAD, NAME, MASK = 0.26, 0.26, 2.05
"""Size of the text over the board and of its names; longer side of a mask; metres."""
HEADS = {
    "classes": "prediction",
    "picture": "generated picture",
    "mask": "segmentation",
    "boxes": "detections",
    "numbers": "output",
}


def plan_answer(recording: Recording, style: Style, board: Board | None = None) -> Plan:
    """Plans the board, WIDTH by HEIGHT metres times the board's scale, with its picture; empty without an answer.

    board: where it stands; None for a plan without placement.
    """
    kind = recording.prediction.kind
    plan = Plan(style, "Answer", "answer board")
    if board is not None:
        plan.placement, plan.scale = wall(board.position, board.yaw), board.scale
    if kind == "none":
        return plan
    plan.frame(FLAT, (WIDTH, HEIGHT))
    plan.text(FLAT, HEADS[kind], HEAD, "quiet", y=HEIGHT + 0.13)
    pixels = _picture(recording)
    if pixels is not None:
        corner, size = _picture_place(pixels, kind)
        plan.pictures.append(Picture("Answer", "answer", pixels, FLAT.moved(*corner), size))
    if kind in WRITERS:
        WRITERS[kind](plan, recording)
    return plan


def _add_classes(plan: Plan, recording: Recording) -> None:
    """Adds names and bars on one scale of 0 to 100 %, the first in colour."""
    for row, (_, name, share) in enumerate(recording.prediction.top[:ROWS]):
        _add_row(plan, row, name, format_percent(share), share, "bar" if row == 0 else "quiet")


def _add_row(plan: Plan, row: int, name: str, value: str, share: float, colour: str) -> None:
    """Adds one of the five rows: name left, value right, bar below; `share` 0..1 of the bar's track."""
    y, ink = 2.08 - 0.46 * row, "text" if row == 0 else "quiet"
    end = plan.text(FLAT, value, NAME, ink, x=RIGHT, y=y, align="right")
    plan.text(FLAT, name, plan.style.fit(name, RIGHT - LEFT - end - 0.15, NAME), ink, x=LEFT, y=y)
    plan.box(FLAT, (LEFT, RIGHT), (y - 0.15, y - 0.08), "track", 0.012)
    length = (RIGHT - LEFT) * min(max(share, 0.0), 1.0)
    if length:
        plan.box(FLAT, (LEFT, LEFT + max(0.01, length)), (y - 0.15, y - 0.08), colour, 0.018)


def _add_numbers(plan: Plan, recording: Recording) -> None:
    """Adds the first five numbers with bars against the largest of all, and how many more there are."""
    values = np.array(recording.prediction.numbers, float)
    most = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
    for row, value in enumerate(values[:ROWS]):
        share = abs(value) / most if np.isfinite(value) else 0.0
        _add_row(plan, row, f"output {row}", format_number(value), share, "bar" if value >= 0 else "skip")
    if len(values) > ROWS:
        plan.text(FLAT, f"and {len(values) - ROWS:,} more", HEAD, "quiet", x=WIDTH, y=HEIGHT + 0.13, align="right")


def _add_mask_classes(plan: Plan, recording: Recording) -> None:
    """Adds the largest classes with their share of the picture, beside the mask."""
    (left, _), (width, _) = _picture_place(_picture(recording), "mask")
    x = left + width + 0.2
    for row, (_, name, share) in enumerate(recording.prediction.top[:ROWS]):
        y = 2.02 - 0.45 * row
        plan.text(FLAT, name, plan.style.fit(name, RIGHT - x, NAME), x=x, y=y)
        plan.text(FLAT, format_percent(share), 0.7 * NAME, "quiet", x=x, y=y - 0.8 * NAME)


def _add_boxes(plan: Plan, recording: Recording) -> None:
    """Adds rectangles over the input, each with its name and score."""
    (left, bottom), (width, height) = _picture_place(recording.picture, "boxes")
    for place, (name, score, x0, y0, x1, y1) in enumerate(recording.prediction.boxes):
        x = (left + x0 * width, left + x1 * width)
        y = (bottom + (1 - y1) * height, bottom + (1 - y0) * height)
        colour = "skip" if place == 0 else "joined"
        _add_outline(plan, x, y, colour)
        _add_tag(plan, f"{name} {format_percent(score)}", x, min(y[1], HEIGHT - 0.16), colour)


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


def _picture(recording: Recording) -> np.ndarray | None:
    """Returns the picture on the board, (H, W, 3) uint8 sRGB, top row first; None for answers without one."""
    answer = recording.prediction
    if answer.kind == "boxes":
        return recording.picture
    return answer.picture if answer.kind in ("picture", "mask") else None


def _picture_place(pixels: np.ndarray | None, kind: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns lower left corner and size of the picture: beside the legend of a mask, else in the middle; metres."""
    pixels = np.zeros((1, 1, 3)) if pixels is None else pixels
    width, height = aspect_size(pixels, MASK if kind == "mask" else HEIGHT - 0.2)
    left = 0.12 if kind == "mask" else (WIDTH - width) / 2
    return (left, (HEIGHT - height) / 2), (width, height)


WRITERS: dict[str, Callable[[Plan, Recording], None]] = {
    "classes": _add_classes,
    "numbers": _add_numbers,
    "mask": _add_mask_classes,
    "boxes": _add_boxes,
}
"""By kind of answer: what is added to the board besides a picture."""
