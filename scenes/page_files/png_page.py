"""Draws a page as pixels with Pillow, and encodes it as a PNG file with its resolution and provenance."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from ...blender_addon.pages import font
from ...blender_addon.pages.page import POINT, FlatPage, PageBox, PageItem, PageLine, PagePicture, PageShape, PageText
from ...blender_addon.pages.plate.model import Point

FINE, LETTERS = 8, 4
"""Steps of a pixel to which lines and shapes are drawn, and letters, before they are averaged."""
ANCHORS = {"left": "ls", "centre": "ms", "right": "rs"}


def png_file(page: FlatPage) -> bytes:
    """Returns the page as a PNG file of `page.dpi` pixels an inch."""
    texts = PngImagePlugin.PngInfo()
    for keyword, text in page.facts.items():
        texts.add_itxt(keyword, text)
    file = io.BytesIO()
    draw_page(page).save(file, "PNG", dpi=(page.dpi, page.dpi), pnginfo=texts)
    return file.getvalue()


def draw_page(page: FlatPage) -> Image.Image:
    """Draws a page; pictures of the page's own resolution keep their pixels."""
    image = Image.new("RGB", page.size, page.colour("floor"))
    for item in page.items:
        _draw(image, page, item)
    return image


def _draw(image: Image.Image, page: FlatPage, item: PageItem) -> None:
    scale = 1 / page.pixel
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
            size = (max(1, round(item.width * scale)), max(1, round(item.height * scale)))
            pixels = Image.fromarray(np.ascontiguousarray(item.pixels))
            shown = pixels if pixels.size == size else pixels.resize(size, Image.Resampling.BOX)
            image.paste(shown, (round(item.x * scale), round(item.y * scale)))


def _stroke(start: Point, end: Point, half: float) -> tuple[Point, ...]:
    """Returns the corners of a straight line that reaches half its width past both ends."""
    length = math.hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    x, y = (end[0] - start[0]) / length * half, (end[1] - start[1]) / length * half
    (left, top), (right, bottom) = (start[0] - x, start[1] - y), (end[0] + x, end[1] + y)
    return (left - y, top + x), (right - y, bottom + x), (right + y, bottom - x), (left + y, top - x)


def _fill(image: Image.Image, scale: float, corners: Sequence[Point], colour: str) -> None:
    """Fills a polygon of corners in millimetres; pixels at its edges are covered partly."""
    points = np.array(corners) * scale
    left, top = np.floor(points.min(0)).astype(int)
    width, height = np.ceil(points.max(0)).astype(int) - (left, top) + 1
    mask = Image.new("L", (int(width) * FINE, int(height) * FINE))
    inner = (points - (left, top)) * FINE - 0.5  # Pillow's coordinates are those of pixels' middles
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in inner], 255)
    image.paste(colour, (int(left), int(top)), mask.reduce(FINE))


def _write(image: Image.Image, scale: float, item: PageText) -> None:
    """Draws a line of text larger and reduces it: at its own size, letters would stand on whole pixels."""
    size = item.size * POINT * scale
    letters = ImageFont.truetype(str(font.FILE), size * LETTERS, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = (side * scale for side in item.bounds())
    x0, y0 = math.floor(left - size / 2) - 1, math.floor(top - size / 2) - 1
    width, height = math.ceil(right + size / 2) + 1 - x0, math.ceil(bottom + size / 2) + 1 - y0
    x, y = (item.x * scale - x0) * LETTERS, (item.y * scale - y0) * LETTERS
    across, down = width * LETTERS, height * LETTERS
    mask = Image.new("L", (down, across) if item.turned else (across, down))
    ImageDraw.Draw(mask).text((down - y, x) if item.turned else (x, y), item.text, 255, letters, ANCHORS[item.align])
    mask = mask.transpose(Image.Transpose.ROTATE_90) if item.turned else mask
    image.paste(item.colour, (x0, y0), mask.reduce(LETTERS))
