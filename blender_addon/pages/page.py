"""A printed page as rectangles, lines, text and pictures, which writers turn into SVG, PDF and PNG files.

Lengths are millimetres from the upper left corner, y downwards; sizes of text are points. Pure numpy, no bpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..imaging.colour_maps import THEMES
from ..layout.text_fitting import Align
from .font import text_length

MM_PER_INCH = 25.4
POINT = MM_PER_INCH / 72
"""Millimetres of a point."""


@dataclass(frozen=True)
class PageBox:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    """sRGB "#RRGGBB"."""


@dataclass(frozen=True)
class PageLine:
    """A line through points, with round corners and flat ends."""

    points: tuple[tuple[float, float], ...]
    width: float
    colour: str


@dataclass(frozen=True)
class PageShape:
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    colour: str


@dataclass(frozen=True)
class PageText:
    """A line of text in Liberation Sans."""

    text: str
    x: float
    """Start, middle or end of the base line, by `align`."""
    y: float
    """Of the base line."""
    size: float
    """Points."""
    colour: str
    align: Align = "left"
    turned: bool = False
    """Whether it runs upwards."""

    @property
    def width(self) -> float:
        """Millimetres."""
        return text_length(self.text) * self.size * POINT

    def bounds(self) -> tuple[float, float, float, float]:
        """Returns left, top, right and bottom of the letters' box."""
        start = {"left": 0.0, "centre": -0.5, "right": -1.0}[self.align] * self.width
        end, up, down = start + self.width, 0.74 * self.size * POINT, 0.21 * self.size * POINT
        if self.turned:
            return self.x - up, self.y - end, self.x + down, self.y - start
        return self.x + start, self.y - up, self.x + end, self.y + down


@dataclass(frozen=True)
class PagePicture:
    """A picture of square pixels, none of which is smoothed."""

    x: float
    y: float
    width: float
    height: float
    pixels: np.ndarray
    """(H, W, 3) uint8 sRGB, top row first."""


PageItem = PageBox | PageLine | PageShape | PageText | PagePicture


@dataclass
class FlatPage:
    """A page with what is drawn on it, the lowest first."""

    width: float
    height: float
    theme: str
    dpi: int
    """Pixels an inch of its pictures, and of the page as a PNG file."""
    items: list[PageItem] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    """What the file says about itself, by keyword: Title, Software, innerwalk."""

    @property
    def pixel(self) -> float:
        """Millimetres of a pixel."""
        return MM_PER_INCH / self.dpi

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return round(self.width / self.pixel), round(self.height / self.pixel)

    def colour(self, role: str) -> str:
        """Returns the sRGB code of a role in the page's theme."""
        return THEMES[self.theme][role]

    def box(self, x: float, y: float, width: float, height: float, role: str) -> None:
        """Adds a rectangle in the colour of a role."""
        self.items.append(PageBox(x, y, width, height, self.colour(role)))

    def frame(self, x: float, y: float, width: float, height: float, role: str, line: float = 0.1) -> None:
        """Adds a rim around a rectangle, `line` wide and outside it."""
        for left, top, across, down in (
            (x - line, y - line, width + 2 * line, line),
            (x - line, y + height, width + 2 * line, line),
            (x - line, y, line, height),
            (x + width, y, line, height),
        ):
            self.box(left, top, across, down, role)

    def text(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        role: str = "text",
        *,
        align: Align = "left",
        turned: bool = False,
    ) -> PageText:
        """Adds a line of text with its base line at (x, y), and returns it."""
        self.items.append(written := PageText(text, x, y, size, self.colour(role), align, turned))
        return written

    def picture(self, x: float, y: float, width: float, height: float, pixels: np.ndarray) -> None:
        """Adds a picture (H, W, 3) uint8 sRGB, top row first."""
        self.items.append(PagePicture(x, y, width, height, pixels))
