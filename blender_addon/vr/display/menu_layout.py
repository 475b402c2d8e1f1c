"""Layout and drawing of a menu page: where its items are, which one is at a point, how the board looks."""

from __future__ import annotations

from typing import NamedTuple

from ...layout.text_fitting import CAP
from ..drawing.canvas import Canvas, Span, size_for
from ..drawing.text_wrapping import shortened
from .menu_types import Item, Page

DISTANCE = 0.7
"""Reading distance in metres."""
SMALL, LARGE = size_for(20, DISTANCE), size_for(24, DISTANCE)
"""Text sizes of items and title, in metres."""
ITEM_HEIGHT, TITLE_HEIGHT = 0.056, 0.062
"""Heights in metres; a trembling hand misses by 2 cm."""
WIDE_ITEM, COLUMN_ITEM = 0.34, 0.27
"""Width of an item on a page with one column and with two, in metres."""
PADDING, MARGIN, RIM, GAP = 0.014, 0.014, 0.003, 0.002
"""Metres beside an item's label, around all items, of the rim, and half of the gap between two items."""
MARK_WIDTH, ARROW_WIDTH = 0.006, 0.03
"""Metres for the mark of a current setting, and for the arrow of an item that opens a page."""
MAX_ROWS = 9
"""Largest number of items in one column; a page with more has two columns."""


class MenuLayout(NamedTuple):
    """Positions of a page's parts on the board, in metres."""

    width: float
    height: float
    boxes: tuple[tuple[Span, Span], ...]
    """(left, right), (lower, upper) of each item; they touch each other."""


def arrange(page: Page) -> MenuLayout:
    """Returns the layout of a page: items below each other, in two columns if there are many."""
    count = len(page.items)
    rows = count if count <= MAX_ROWS else -(-count // 2)
    columns = -(-count // rows) if rows else 1
    width = WIDE_ITEM if columns == 1 else COLUMN_ITEM
    height = 2 * MARGIN + TITLE_HEIGHT + rows * ITEM_HEIGHT
    boxes = []
    for index in range(count):
        column, row = divmod(index, rows)
        left, upper = MARGIN + column * width, height - MARGIN - TITLE_HEIGHT - row * ITEM_HEIGHT
        boxes.append(((left, left + width), (upper - ITEM_HEIGHT, upper)))
    return MenuLayout(2 * MARGIN + columns * width, height, tuple(boxes))


def size(page: Page) -> tuple[float, float]:
    """Returns width and height of the board, in metres."""
    return arrange(page)[:2]


def contains(page: Page, x: float, y: float) -> bool:
    """Returns whether a point of the plane is on the board."""
    width, height = size(page)
    return 0 <= x <= width and 0 <= y <= height


def item_at(page: Page, x: float, y: float) -> int:
    """Returns the index of the item at a point of the plane, also of a disabled one; -1 for none."""
    boxes = arrange(page).boxes
    return next((k for k, (h, v) in enumerate(boxes) if h[0] <= x < h[1] and v[0] <= y < v[1]), -1)


def draw(page: Page, pointed: int = -1) -> Canvas:
    """Draws the board; the item with index `pointed` is highlighted unless it is disabled."""
    layout = arrange(page)
    board = Canvas()
    board.frame((0, layout.width), (0, layout.height), RIM, "frame", "board")
    baseline = layout.height - MARGIN - TITLE_HEIGHT + (TITLE_HEIGHT - CAP * LARGE) / 2
    title = shortened(page.title, layout.width - 2 * MARGIN - 2 * PADDING, LARGE)
    board.text(title, LARGE, "quiet", MARGIN + PADDING, baseline)
    for index, (item, (x, y)) in enumerate(zip(page.items, layout.boxes, strict=True)):
        _draw_item(board, item, x, y, index == pointed)
    return board


def _draw_item(board: Canvas, item: Item, x: Span, y: Span, pointed: bool) -> None:
    left, right, low, high = x[0] + GAP, x[1] - GAP, y[0] + GAP, y[1] - GAP
    if item.enabled and pointed:
        board.frame((left, right), (low, high), RIM, "bar", "frame")
    elif item.enabled:
        board.box((left, right), (low, high), "plate2")
    if item.on:
        board.box((left, left + MARK_WIDTH), (low, high), "bar")
    has_arrow = bool(item.opens) and item.enabled
    label = shortened(item.label, right - left - 2 * PADDING - (ARROW_WIDTH if has_arrow else 0.0), SMALL)
    baseline = y[0] + (ITEM_HEIGHT - CAP * SMALL) / 2
    board.text(label, SMALL, "text" if item.enabled else "quiet", left + PADDING, baseline)
    if has_arrow:
        board.text("‹" if item.label == "Back" else "›", SMALL, "quiet", right - PADDING, baseline, "right")
