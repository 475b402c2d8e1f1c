"""Writes a page as an SVG file: text as text, lines as lines, pictures as PNG inside."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from ..imaging import png
from .font import FAMILIES
from .page import POINT, FlatPage, PageBox, PageItem, PageLine, PagePicture, PageShape, PageText

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ANCHORS = {"left": "start", "centre": "middle", "right": "end"}


def svg_file(page: FlatPage) -> bytes:
    """Returns the file: lengths in millimetres, title and provenance in its first elements."""
    return "".join(_elements(page)).encode()


def _elements(page: FlatPage) -> Iterator[str]:
    width, height = _number(page.width), _number(page.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}" '
        f"font-family={quoteattr(FAMILIES)}>\n"
    )
    yield f"<title>{_escaped(page.facts.get('Title', ''))}</title>\n"
    yield f"<desc>{_escaped(page.facts.get('innerwalk', ''))}</desc>\n"
    yield f'<rect width="100%" height="100%" fill={quoteattr(page.colour("floor"))}/>\n'
    for item in page.items:
        yield f"{_element(item)}\n"
    yield "</svg>\n"


def _element(item: PageItem) -> str:
    match item:
        case PageBox():
            return f"<rect {_frame(item)} fill={quoteattr(item.colour)}/>"
        case PageLine():
            return (
                f'<polyline points="{_points(item.points)}" fill="none" stroke={quoteattr(item.colour)} '
                f'stroke-width="{_number(item.width)}" stroke-linecap="square" stroke-linejoin="round"/>'
            )
        case PageShape():
            return f'<polygon points="{_points(item.points)}" fill={quoteattr(item.colour)}/>'
        case PageText():
            return _text(item)
    return _picture(item)


def _text(item: PageText) -> str:
    turn = f' transform="rotate(-90 {_number(item.x)} {_number(item.y)})"' if item.turned else ""
    return (
        f'<text x="{_number(item.x)}" y="{_number(item.y)}" font-size="{_number(item.size * POINT)}" '
        f'text-anchor="{ANCHORS[item.align]}" fill={quoteattr(item.colour)}{turn} xml:space="preserve">'
        f"{_escaped(item.text)}</text>"
    )


def _escaped(text: str) -> str:
    """Returns a text as XML, in which some characters can't stand at all."""
    return escape(FORBIDDEN.sub("\ufffd", text))


def _picture(item: PagePicture) -> str:
    height, width, _ = item.pixels.shape
    code = base64.b64encode(b"".join(png.encode(width, height, [item.pixels]))).decode()
    return (
        f'<image {_frame(item)} preserveAspectRatio="none" image-rendering="optimizeSpeed" style="image-rendering:'
        f'pixelated" href="data:image/png;base64,{code}"/>'
    )


def _frame(item: PageBox | PagePicture) -> str:
    sides = {"x": item.x, "y": item.y, "width": item.width, "height": item.height}
    return " ".join(f'{name}="{_number(value)}"' for name, value in sides.items())


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    """Returns a length to a ten-thousandth of a millimetre."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
