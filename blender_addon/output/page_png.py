"""Draws a flat page as pixels with numpy alone, and encodes it as a PNG file with its resolution and provenance."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np

from ..imaging import png
from ..imaging.colour_maps import srgb
from ..pages.letters import filled, text_coverage
from ..pages.map_pictures import fit_picture
from ..pages.page import MM_PER_INCH, POINT, FlatPage, PageBox, PageItem, PageLine, PagePicture, PageShape, PageText
from .png_text import with_texts

Point = tuple[float, float]
HEADER = len(png.SIGNATURE) + 25
"""Bytes of a PNG file before the chunk behind its header."""


def png_file(page: FlatPage) -> bytes:
    """Returns the page as a PNG file of `page.dpi` pixels an inch."""
    pixels = draw_page(page)
    content = with_texts(b"".join(png.encode(pixels.shape[1], pixels.shape[0], [pixels])), page.facts)
    metre = round(1000 * page.dpi / MM_PER_INCH)
    return content[:HEADER] + png.chunk(b"pHYs", struct.pack(">IIB", metre, metre, 1)) + content[HEADER:]


def draw_page(page: FlatPage) -> np.ndarray:
    """Draws a page, (H, W, 3) uint8 sRGB; pictures of the page's own resolution keep their pixels."""
    width, height = page.size
    image = np.empty((height, width, 3), np.uint8)
    image[:] = np.rint(255 * srgb(page.colour("floor")))
    for item in page.items:
        _draw(image, 1 / page.pixel, item)
    return image


def _draw(image: np.ndarray, scale: float, item: PageItem) -> None:
    match item:
        case PageBox():
            right, bottom = item.x + item.width, item.y + item.height
            _fill(image, scale, ((item.x, item.y), (right, item.y), (right, bottom), (item.x, bottom)), item.colour)
        case PageLine():
            for start, end in zip(item.points[:-1], item.points[1:], strict=True):
                _fill(image, scale, _stroke(start, end, item.width / 2), item.colour)
        case PageShape():
            _fill(image, scale, item.points, item.colour)
        case PageText():
            _write(image, scale, item)
        case PagePicture():
            width, height = (max(1, round(side * scale)) for side in (item.width, item.height))
            whole = item.pixels.shape[:2] == (height, width)
            shown = item.pixels if whole else fit_picture(item.pixels, width, height)
            y, x = round(item.y * scale), round(item.x * scale)
            part = image[y : y + height, x : x + width]
            part[:] = shown[: part.shape[0], : part.shape[1]]


def _stroke(start: Point, end: Point, half: float) -> tuple[Point, ...]:
    """Returns the corners of a straight line that reaches half its width past both ends."""
    length = math.hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    x, y = (end[0] - start[0]) / length * half, (end[1] - start[1]) / length * half
    (left, top), (right, bottom) = (start[0] - x, start[1] - y), (end[0] + x, end[1] + y)
    return (left - y, top + x), (right - y, bottom + x), (right + y, bottom - x), (left + y, top - x)


def _fill(image: np.ndarray, scale: float, corners: Sequence[Point], colour: str) -> None:
    """Fills a polygon of corners in millimetres; pixels at its edges are covered partly."""
    points = np.array(corners) * scale
    first = np.floor(points.min(0)).astype(int)
    width, height = (np.ceil(points.max(0)).astype(int) - first + 1).tolist()
    points -= first
    _blend(image, filled(np.stack([points, np.roll(points, -1, 0)], 1), (height, width)), first[0], first[1], colour)


def _write(image: np.ndarray, scale: float, item: PageText) -> None:
    """Draws a line of text whose base line and start are on whole pixels."""
    coverage, base = text_coverage(item.text, item.size * POINT * scale)
    start = {"left": 0.0, "centre": -0.5, "right": -1.0}[item.align] * item.width * scale
    if item.turned:
        x, y = round(item.x * scale) - base, round(item.y * scale - start) - coverage.shape[1]
        _blend(image, coverage.T[::-1], x, y, item.colour)
    else:
        _blend(image, coverage, round(item.x * scale + start), round(item.y * scale) - base, item.colour)


def _blend(image: np.ndarray, coverage: np.ndarray, x: int, y: int, colour: str) -> None:
    """Blends a colour over an image (H, W, 3) uint8 from column x and row y on, by coverage (h, w) 0..1."""
    part = image[max(y, 0) : max(y + coverage.shape[0], 0), max(x, 0) : max(x + coverage.shape[1], 0)]
    shares = coverage[max(-y, 0) :, max(-x, 0) :][: part.shape[0], : part.shape[1], None]
    part[:] = np.rint(part + shares * (255 * srgb(colour) - part))
