"""Writes a page as a PDF file with reportlab: text as text with its font inside, lines as lines."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from ...blender_addon.pages import font
from ...blender_addon.pages.page import POINT, FlatPage, PageBox, PageItem, PageLine, PagePicture, PageShape, PageText

FONT = "LiberationSans"


def pdf_file(page: FlatPage) -> bytes:
    """Returns the page as a PDF file of its own size; the same page gives the same bytes."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(FONT, str(font.FILE)))
    file = io.BytesIO()
    canvas = Canvas(file, (page.width / POINT, page.height / POINT), pageCompression=1, invariant=1)
    canvas.setTitle(page.facts.get("Title", ""))
    canvas.setCreator("innerwalk")
    canvas.setSubject(page.facts.get("innerwalk", ""))
    canvas.setLineCap(2)
    canvas.setLineJoin(1)
    canvas.transform(1 / POINT, 0, 0, -1 / POINT, 0, page.height / POINT)  # millimetres, y downwards
    canvas.setFillColor(HexColor(page.colour("floor")))
    canvas.rect(0, 0, page.width, page.height, stroke=0, fill=1)
    for item in page.items:
        _draw(canvas, item)
    canvas.save()
    return file.getvalue()


def _draw(canvas: Canvas, item: PageItem) -> None:
    if isinstance(item, PagePicture):
        _draw_picture(canvas, item)
        return
    colour = HexColor(item.colour)
    canvas.setFillColor(colour)
    match item:
        case PageBox():
            canvas.rect(item.x, item.y, item.width, item.height, stroke=0, fill=1)
        case PageLine() | PageShape():
            path = canvas.beginPath()
            path.moveTo(*item.points[0])
            for point in item.points[1:]:
                path.lineTo(*point)
            if isinstance(item, PageLine):
                canvas.setStrokeColor(colour)
                canvas.setLineWidth(item.width)
            else:
                path.close()
            canvas.drawPath(path, stroke=isinstance(item, PageLine), fill=isinstance(item, PageShape))
        case PageText():
            _write(canvas, item)


def _write(canvas: Canvas, item: PageText) -> None:
    canvas.saveState()
    canvas.translate(item.x, item.y)
    canvas.scale(1, -1)
    if item.turned:
        canvas.rotate(90)
    canvas.setFont(FONT, item.size * POINT)
    {"left": canvas.drawString, "centre": canvas.drawCentredString, "right": canvas.drawRightString}[item.align](
        0, 0, item.text
    )
    canvas.restoreState()


def _draw_picture(canvas: Canvas, item: PagePicture) -> None:
    canvas.saveState()
    canvas.translate(item.x, item.y + item.height)
    canvas.scale(1, -1)
    image = ImageReader(Image.fromarray(np.ascontiguousarray(item.pixels)))
    canvas.drawImage(image, 0, 0, item.width, item.height)
    canvas.restoreState()
