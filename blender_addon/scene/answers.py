"""The board that ends a hall with its answer: classes, a picture, a mask, boxes or numbers."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np

from ...torch_bridge.recording import Prediction, Recording
from . import text
from .legend import number
from .paint import FLAT, Paint, Plane
from .pictures import add_picture, aspect_size

WIDTH, HEIGHT = 3.4, 2.45
LEFT, RIGHT = 0.15, 3.25
ROWS = 5

Writer = Callable[[Paint, Recording], None]


def add_answer(
    recording: Recording, at: Plane, scale: float, palette: dict[str, np.ndarray], collection: bpy.types.Collection
) -> bpy.types.Object | None:
    """The board, WIDTH by HEIGHT times `scale`, its lower left corner at the plane's origin; None without an answer."""
    answer = recording.prediction
    if answer.kind == "none":
        return None
    paint = Paint(palette)
    paint.frame(FLAT, (WIDTH, HEIGHT))
    paint.words(FLAT, HEADS[answer.kind], 0.18, "quiet", y=HEIGHT + 0.13)
    WRITERS[answer.kind](paint, recording)
    board = paint.build("Answer", "answer", collection, at)
    board.scale = (scale, scale, scale)
    shown = _shown(recording)
    if shown is not None:
        corner, size = _place(shown, answer.kind)
        picture = add_picture(
            "Answer", shown, Plane(np.array([*corner, 0.0]), *np.eye(3)[:2]), size, collection, "answer"
        )
        picture.parent = board
    return board


def percent(share: float) -> str:
    """A share 0..1 as "99.9 %"; one that would round to 100 % but isn't all is said to be more than 99.9 %."""
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return "< 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def _classes(paint: Paint, recording: Recording) -> None:
    """Names and bars on one scale of 0 to 100 %, the first in colour."""
    for row, (_, name, share) in enumerate(recording.prediction.top[:ROWS]):
        _row(paint, row, name, percent(share), share, "bar" if row == 0 else "quiet")


def _row(paint: Paint, row: int, name: str, value: str, share: float, tint: str) -> None:
    """One of the five lines: name left, value right, bar below; `share` 0..1 of the bar's track."""
    y, ink = 2.08 - 0.46 * row, "text" if row == 0 else "quiet"
    end = paint.words(FLAT, value, 0.24, ink, x=RIGHT, y=y, align="right")
    paint.words(FLAT, name, text.fit(name, RIGHT - LEFT - end - 0.15, 0.24), ink, x=LEFT, y=y)
    paint.box(FLAT, (LEFT, RIGHT), (y - 0.15, y - 0.08), "track", 0.012)
    length = (RIGHT - LEFT) * min(max(share, 0.0), 1.0)
    if length:
        paint.box(FLAT, (LEFT, LEFT + max(0.01, length)), (y - 0.15, y - 0.08), tint, 0.018)


def _numbers(paint: Paint, recording: Recording) -> None:
    """The first five numbers with bars against the largest of all, and how many more there are."""
    values = np.array(recording.prediction.numbers, float)
    most = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
    for row, value in enumerate(values[:ROWS]):
        _row(
            paint,
            row,
            f"output {row}",
            number(value),
            abs(value) / most if np.isfinite(value) else 0.0,
            "bar" if value >= 0 else "skip",
        )
    if len(values) > ROWS:
        paint.words(FLAT, f"and {len(values) - ROWS:,} more", 0.12, "quiet", x=RIGHT, y=HEIGHT + 0.13, align="right")


def _mask(paint: Paint, recording: Recording) -> None:
    """Names with their share of the picture, beside the mask; each with its colour when the mask has it."""
    for row, (_, name, share) in enumerate(recording.prediction.top[:ROWS]):
        y, x = 2.05 - 0.44 * row, 2.3
        paint.words(FLAT, name, text.fit(name, RIGHT - x, 0.17), x=x, y=y)
        paint.words(FLAT, percent(share), 0.15, "quiet", x=x, y=y - 0.19)


def _boxes(paint: Paint, recording: Recording) -> None:
    """Rectangles over the input, named with their score where there is room."""
    (left, bottom), (width, height) = _place(recording.picture, "boxes")
    for number_, (name, score, x0, y0, x1, y1) in enumerate(recording.prediction.boxes):
        box = (left + x0 * width, left + x1 * width, bottom + (1 - y1) * height, bottom + (1 - y0) * height)
        tint = "skip" if number_ == 0 else "joined"
        _outline(paint, *box, tint)
        body = f"{name} {percent(score)}"
        size = text.fit(body, max(box[1] - box[0], 0.7), 0.11)
        length = text.width(body) * size
        top = min(box[3], HEIGHT - 0.16)
        paint.box(FLAT, (box[0], box[0] + length + 0.06), (top, top + 0.15), "board", 0.034)
        paint.words(FLAT, body, size, tint, x=box[0] + 0.03, y=top + 0.04, lift=0.04)


def _outline(paint: Paint, x0: float, x1: float, y0: float, y1: float, tint: str, line: float = 0.018) -> None:
    for x, y in (
        ((x0, x1), (y0, y0 + line)),
        ((x0, x1), (y1 - line, y1)),
        ((x0, x0 + line), (y0, y1)),
        ((x1 - line, x1), (y0, y1)),
    ):
        paint.box(FLAT, x, y, tint, 0.03)


def _picture(paint: Paint, recording: Recording) -> None:
    """Nothing but the picture."""


def _shown(recording: Recording) -> np.ndarray | None:
    answer: Prediction = recording.prediction
    return (
        recording.picture if answer.kind == "boxes" else answer.picture if answer.kind in ("picture", "mask") else None
    )


def _place(pixels: np.ndarray, kind: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Lower left corner and size of the picture on the board: beside the legend of a mask, else in the middle."""
    edge = 2.05 if kind == "mask" else min(HEIGHT, WIDTH) - 0.2
    width, height = aspect_size(pixels, edge)
    left = 0.12 if kind == "mask" else (WIDTH - width) / 2
    return (left, (HEIGHT - height) / 2), (width, height)


HEADS = {
    "classes": "prediction",
    "picture": "generated picture",
    "mask": "segmentation",
    "boxes": "detections",
    "numbers": "output",
}
WRITERS: dict[str, Writer] = {
    "classes": _classes,
    "numbers": _numbers,
    "mask": _mask,
    "boxes": _boxes,
    "picture": _picture,
}
