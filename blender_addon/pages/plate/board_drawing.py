"""Draws the boards of a plate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..font import begun, printable, wrapped_words
from ..map_pictures import fit_picture
from ..page import FlatPage, PageShape
from ..picture_marks import add_marks
from .boards import ROW, BoardRow, PlateBoard
from .model import PlateBox, PlateStyle

BAR = 0.35
"""Height of a row's bar, mm."""
STRETCHES = 256
"""Most stretches of a waveform that are drawn."""


def draw_board(page: FlatPage, style: PlateStyle, box: PlateBox, board: PlateBoard) -> None:
    """Draws what a board shows."""
    if board.pixels is not None:
        _add_picture(page, box, board)
    elif board.wave is not None:
        _add_wave(page, box, board.wave)
    elif board.rows:
        _add_rows(page, style, box, board.rows)
    else:
        _add_words(page, style, box, board.words)


def _add_picture(page: FlatPage, box: PlateBox, board: PlateBoard) -> None:
    """Adds a picture in a rim, on whole pixels of the page."""
    assert board.pixels is not None
    x, y = round(box.x / page.pixel) * page.pixel, round(box.y / page.pixel) * page.pixel
    width, height = max(1, round(box.width / page.pixel)), max(1, round(box.height / page.pixel))
    area = x, y, width * page.pixel, height * page.pixel
    page.picture(*area, fit_picture(board.pixels, width, height))
    page.frame(*area, "frame")
    add_marks(page, board.marks, area)


def _add_wave(page: FlatPage, box: PlateBox, wave: np.ndarray) -> None:
    """Adds the area between the least and the largest values, (n, 2) in −1..1."""
    count = min(len(wave), STRETCHES)
    starts = np.arange(count) * len(wave) // count
    low, high = np.minimum.reduceat(wave[:, 0], starts), np.maximum.reduceat(wave[:, 1], starts)
    x = box.x + (np.arange(count) + 0.5) * box.width / count
    middle, half = box.y + box.height / 2, box.height / 2
    page.box(box.x, middle - 0.05, box.width, 0.1, "track")
    top, bottom = middle - half * high - 0.06, middle - half * low + 0.06
    points = [*zip(x.tolist(), top.tolist(), strict=True), *zip(x[::-1].tolist(), bottom[::-1].tolist(), strict=True)]
    page.items.append(PageShape(tuple(points), page.colour("quiet")))


def _add_rows(page: FlatPage, style: PlateStyle, box: PlateBox, rows: Sequence[BoardRow]) -> None:
    """Adds as many rows as have room, in the middle: name left, value right, bar below."""
    step = ROW * style.line_height
    shown = rows[: max(1, int(box.height / step + 0.01))]
    y = box.y + (box.height - step * len(shown)) / 2
    for number, row in enumerate(shown):
        base, bar = y + 0.8 * style.line_height, y + 1.1 * style.line_height
        role = "quiet" if number else "text"
        value = page.text(printable(row.value), box.right, base, style.words, role, align="right")
        name = begun(printable(row.text), style.room(box.width - value.width - 0.8))
        page.text(name, box.x, base, style.words, role)
        page.box(box.x, bar, box.width, BAR, "track")
        length = box.width * min(max(row.share, 0.0), 1.0)
        if length > 0:
            page.box(box.x, bar, length, BAR, "quiet" if number else "bar")
        y += step


def _add_words(page: FlatPage, style: PlateStyle, box: PlateBox, words: Sequence[str]) -> None:
    """Adds words in as many lines as have room, in the middle; the last line says how many more there are."""
    room, most = style.room(box.width), max(1, int(box.height / style.line_height))
    lines = wrapped_words(words, room, most)
    y = box.y + (box.height - style.line_height * len(lines)) / 2
    for number, line in enumerate(lines):
        page.text(line, box.x, y + (number + 0.82) * style.line_height, style.words)
