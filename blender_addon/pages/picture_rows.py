"""Pages of pictures with captions: rows that fill the page's width, with titles of rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .font import begun, printable
from .page import POINT, FlatPage
from .page_style import PageStyle
from .picture_marks import PictureMark, add_marks

GAP = 1.5
"""Between pictures, mm."""


@dataclass(frozen=True)
class CaptionedPicture:
    """A picture with the lines of text below it, the first of which is its title."""

    pixels: np.ndarray
    """(H, W, 3) uint8 sRGB, of the size in which it is printed."""
    caption: tuple[str, ...]
    marks: tuple[PictureMark, ...] = ()


def picture_width(style: PageStyle, columns: int) -> float:
    """Returns the width of a picture in a row of so many, whole pixels in mm."""
    room = (style.width - 2 * style.margin - (columns - 1) * GAP) / columns
    return int(room / style.pixel) * style.pixel


def add_rows(page: FlatPage, style: PageStyle, pictures: Sequence[CaptionedPicture], columns: int, top: float) -> None:
    """Adds pictures in rows of so many, in reading order."""
    y = round(top / page.pixel) * page.pixel
    for start in range(0, len(pictures), columns):
        row = pictures[start : start + columns]
        for place, picture in enumerate(row):
            x = round((style.margin + place * (picture_width(style, columns) + GAP)) / page.pixel) * page.pixel
            _add(page, style, picture, x, y)
        y += rows_height(style, row, columns)
        y = round(y / page.pixel) * page.pixel


def rows_height(style: PageStyle, pictures: Sequence[CaptionedPicture], columns: int) -> float:
    """Returns the height of pictures in rows of so many, with captions and the gap below each row."""
    height = 0.0
    for start in range(0, len(pictures), columns):
        row = pictures[start : start + columns]
        height += max(len(picture.pixels) for picture in row) * style.pixel + GAP
        height += max(len(picture.caption) for picture in row) * style.line_height + style.pixel
    return height


def _add(page: FlatPage, style: PageStyle, picture: CaptionedPicture, x: float, y: float) -> None:
    height, width = (count * page.pixel for count in picture.pixels.shape[:2])
    page.picture(x, y, width, height, picture.pixels)
    page.frame(x, y, width, height, "frame")
    add_marks(page, picture.marks, (x, y, width, height))
    room = width / (style.words * POINT)
    for number, text in enumerate(picture.caption):
        line = y + height + 0.2 + (number + 0.82) * style.line_height
        page.text(begun(printable(text), room), x, line, style.words, "quiet" if number else "text")
