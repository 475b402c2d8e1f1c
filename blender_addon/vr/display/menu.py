"""The floating menu of a walk: where the entries of a page are, which one is pointed at, and what is drawn."""

from __future__ import annotations

from typing import NamedTuple

from ...layout.text_fitting import CAP
from ..drawing.canvas import Sketch, Span, size_for
from ..drawing.text_wrapping import shortened
from .menu_items import Item, Page, export_folder, page

__all__ = ["Item", "Page", "arrange", "draw", "export_folder", "inside", "item_at", "page", "size"]

AWAY = 0.7
"""Metres from which it is read."""
SMALL, LARGE = size_for(20, AWAY), size_for(24, AWAY)
ROW, HEAD = 0.056, 0.062
"""Height of an entry and of the title: a hand that trembles points 2 cm beside where it means to."""
WIDE, COLUMN, PAD, MARGIN, RIM, GAP = 0.34, 0.27, 0.014, 0.014, 0.003, 0.002
"""Width of an entry that stands alone, and in one of two columns; beside its words; around all; the rim; half of what
is seen between two entries."""
MARK, ARROW = 0.006, 0.03
"""Width of the mark of what is so now; what the arrow of an entry that opens a page takes."""
TALL = 9
"""Entries that stand in one column; more stand in two."""


class Arranged(NamedTuple):
    """Where everything of a page is, metres of the board's plane."""

    width: float
    height: float
    boxes: tuple[tuple[Span, Span], ...]
    """Of each entry, which no gap parts: (left, right), (lower, upper)."""


def arrange(page: Page) -> Arranged:
    """The entries below each other, of a long page in two columns."""
    count = len(page.items)
    rows = count if count <= TALL else -(-count // 2)
    columns = -(-count // rows) if rows else 1
    wide = WIDE if columns == 1 else COLUMN
    height = 2 * MARGIN + HEAD + rows * ROW
    boxes = []
    for index in range(count):
        column, row = divmod(index, rows)
        left, upper = MARGIN + column * wide, height - MARGIN - HEAD - row * ROW
        boxes.append(((left, left + wide), (upper - ROW, upper)))
    return Arranged(2 * MARGIN + columns * wide, height, tuple(boxes))


def size(page: Page) -> tuple[float, float]:
    """Width and height, metres."""
    return arrange(page)[:2]


def inside(page: Page, x: float, y: float) -> bool:
    """Whether a point of the plane is on the board."""
    width, height = size(page)
    return 0 <= x <= width and 0 <= y <= height


def item_at(page: Page, x: float, y: float) -> int:
    """Which entry, enabled or not, is at a point of the plane; -1 for none."""
    boxes = arrange(page).boxes
    return next((k for k, (h, v) in enumerate(boxes) if h[0] <= x < h[1] and v[0] <= y < v[1]), -1)


def draw(page: Page, pointed: int = -1) -> Sketch:
    """The board; the entry that is pointed at is lit, those that are so now are marked, others can't be chosen now."""
    there = arrange(page)
    board = Sketch()
    board.frame((0, there.width), (0, there.height), RIM, "frame", "board")
    title, base = page.title, there.height - MARGIN - HEAD + (HEAD - CAP * LARGE) / 2
    room = there.width - 2 * MARGIN - 2 * PAD
    board.words(shortened(title, room, LARGE), LARGE, "quiet", MARGIN + PAD, base)
    for index, (item, (x, y)) in enumerate(zip(page.items, there.boxes, strict=True)):
        _entry(board, item, x, y, index == pointed)
    return board


def _entry(board: Sketch, item: Item, x: Span, y: Span, pointed: bool) -> None:
    left, right, low, high = x[0] + GAP, x[1] - GAP, y[0] + GAP, y[1] - GAP
    if item.enabled and pointed:
        board.frame((left, right), (low, high), RIM, "bar", "frame")
    elif item.enabled:
        board.box((left, right), (low, high), "plate2")
    if item.on:
        board.box((left, left + MARK), (low, high), "bar")
    opens = item.action == "page" and item.enabled
    room = right - left - 2 * PAD - (ARROW if opens else 0.0)
    base = y[0] + (ROW - CAP * SMALL) / 2
    board.words(shortened(item.label, room, SMALL), SMALL, "text" if item.enabled else "quiet", left + PAD, base)
    if opens:
        board.words("‹" if item.label == "Back" else "›", SMALL, "quiet", right - PAD, base, "right")
