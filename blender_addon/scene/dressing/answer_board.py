"""The board that ends a hall with its answer: classes, a picture, a mask, boxes or numbers."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np

from ....torch_bridge.recording import Recording
from ...properties import OBJECT_ROLE
from ..paint import glyphs
from ..paint.meshes import FLAT, Kit, Paint, Plane
from ..paint.pictures import add_picture, aspect_size, renew_picture
from .legend import number

WIDTH, HEIGHT = 3.4, 2.45
LEFT, RIGHT = 0.15, 3.25
ROWS = 5
HEAD, NAME, MASK = 0.26, 0.26, 2.05
"""Size of the word over the board and of its names; longer side of a mask."""

Writer = Callable[[Paint, Recording], None]


def add_answer(recording: Recording, at: Plane, scale: float, kit: Kit) -> bpy.types.Object | None:
    """The board, WIDTH by HEIGHT times `scale`, its lower left corner at the plane's origin; None without an answer."""
    answer = recording.prediction
    if answer.kind == "none":
        return None
    board = _painted(recording, kit).build("Answer", "answer board", at)
    board.scale = (scale, scale, scale)
    shown = _shown(recording)
    if shown is not None:
        corner, size = _place(shown, answer.kind)
        picture = add_picture("Answer", shown, FLAT.moved(*corner), size, "answer", kit)
        picture.parent = board
    return board


def renew_answer(recording: Recording, board: bpy.types.Object, kit: Kit) -> None:
    """Another answer of the same kind on a board that stands."""
    if recording.prediction.kind == "none":
        return
    _painted(recording, kit).repaint(board)
    shown, held = _shown(recording), next((one for one in board.children if one.get(OBJECT_ROLE) == "answer"), None)
    if shown is not None and held is not None:
        corner, size = _place(shown, recording.prediction.kind)
        held.matrix_basis.translation = (*corner, held.matrix_basis.translation.z)
        renew_picture(held, shown, size)


def _painted(recording: Recording, kit: Kit) -> Paint:
    paint, kind = Paint(kit), recording.prediction.kind
    paint.frame(FLAT, (WIDTH, HEIGHT))
    paint.words(FLAT, HEADS[kind], HEAD, "quiet", y=HEIGHT + 0.13)
    WRITERS[kind](paint, recording)
    return paint


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
    end = paint.words(FLAT, value, NAME, ink, x=RIGHT, y=y, align="right")
    paint.words(FLAT, name, glyphs.fit(name, RIGHT - LEFT - end - 0.15, NAME), ink, x=LEFT, y=y)
    paint.box(FLAT, (LEFT, RIGHT), (y - 0.15, y - 0.08), "track", 0.012)
    length = (RIGHT - LEFT) * min(max(share, 0.0), 1.0)
    if length:
        paint.box(FLAT, (LEFT, LEFT + max(0.01, length)), (y - 0.15, y - 0.08), tint, 0.018)


def _numbers(paint: Paint, recording: Recording) -> None:
    """The first five numbers with bars against the largest of all, and how many more there are."""
    values = np.array(recording.prediction.numbers, float)
    most = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
    for row, value in enumerate(values[:ROWS]):
        share = abs(value) / most if np.isfinite(value) else 0.0
        _row(paint, row, f"output {row}", number(value), share, "bar" if value >= 0 else "skip")
    if len(values) > ROWS:
        paint.words(FLAT, f"and {len(values) - ROWS:,} more", HEAD, "quiet", x=WIDTH, y=HEIGHT + 0.13, align="right")


def _mask(paint: Paint, recording: Recording) -> None:
    """The largest classes with their share of the picture, beside the mask."""
    (left, _), (width, _) = _place(_shown(recording), "mask")
    x = left + width + 0.2
    for row, (_, name, share) in enumerate(recording.prediction.top[:ROWS]):
        y = 2.02 - 0.45 * row
        paint.words(FLAT, name, glyphs.fit(name, RIGHT - x, NAME), x=x, y=y)
        paint.words(FLAT, percent(share), 0.7 * NAME, "quiet", x=x, y=y - 0.8 * NAME)


def _boxes(paint: Paint, recording: Recording) -> None:
    """Rectangles over the input, each named with its score."""
    (left, bottom), (width, height) = _place(recording.picture, "boxes")
    for place, (name, score, x0, y0, x1, y1) in enumerate(recording.prediction.boxes):
        x = (left + x0 * width, left + x1 * width)
        y = (bottom + (1 - y1) * height, bottom + (1 - y0) * height)
        tint = "skip" if place == 0 else "joined"
        _outline(paint, x, y, tint)
        _tag(paint, f"{name} {percent(score)}", x, min(y[1], HEIGHT - 0.16), tint)


def _tag(paint: Paint, body: str, x: tuple[float, float], y: float, tint: str) -> None:
    """A name on its own ground, on a box that runs from x[0] to x[1]."""
    size = glyphs.fit(body, max(x[1] - x[0], 0.7), 0.13)
    paint.box(FLAT, (x[0] - 0.01, x[0] + glyphs.width(body) * size + 0.06), (y, y + 1.1 * size), "board", 0.034)
    paint.words(FLAT, body, size, tint, x=x[0] + 0.03, y=y + 0.3 * size, lift=0.04)


def _outline(paint: Paint, x: tuple[float, float], y: tuple[float, float], tint: str, line: float = 0.02) -> None:
    for edge in y:
        paint.box(FLAT, x, (edge - line / 2, edge + line / 2), tint, 0.03)
    for edge in x:
        paint.box(FLAT, (edge - line / 2, edge + line / 2), y, tint, 0.03)


def _picture(paint: Paint, recording: Recording) -> None:
    """Nothing but the picture."""


def _shown(recording: Recording) -> np.ndarray | None:
    """(H, W, 3) the picture on the board, if it has one."""
    answer = recording.prediction
    if answer.kind == "boxes":
        return recording.picture
    return answer.picture if answer.kind in ("picture", "mask") else None


def _place(pixels: np.ndarray | None, kind: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Lower left corner and size of the picture on the board: beside the legend of a mask, else in the middle."""
    pixels = np.zeros((1, 1, 3)) if pixels is None else pixels
    width, height = aspect_size(pixels, MASK if kind == "mask" else HEIGHT - 0.2)
    left = 0.12 if kind == "mask" else (WIDTH - width) / 2
    return (left, (HEIGHT - height) / 2), (width, height)


HEADS = {
    "classes": "prediction", "picture": "generated picture", "mask": "segmentation", "boxes": "detections",
    "numbers": "output",
}  # fmt: skip
WRITERS: dict[str, Writer] = {
    "classes": _classes, "numbers": _numbers, "mask": _mask, "boxes": _boxes, "picture": _picture,
}  # fmt: skip
