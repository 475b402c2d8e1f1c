"""A canvas: boxes, text and pictures on a plane, collected as triangles. Doesn't use the gpu."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ....torch_bridge.recording.errors import UnknownName
from ...imaging import colour_maps
from ...layout.text_fitting import CAP, DESCENT, Align, Font
from ...scene.paint import glyphs

PIXELS_PER_DEGREE = 18
"""Resolution of a current headset in the middle of its lenses."""
LIFT_STEP = 0.0004
"""Metres between a shape and what lies on it, so that a depth buffer separates them."""

Colour = str | tuple[float, ...]
"""A role of a theme, or sRGB 0..1 with or without alpha."""
Span = tuple[float, float]


def size_for(pixels: float, distance: float) -> float:
    """Returns the text size in metres whose capitals are so many headset pixels high at a distance in metres."""
    return distance * math.tan(math.radians(pixels / PIXELS_PER_DEGREE)) / CAP


@lru_cache(maxsize=256)
def resolve_colour(wanted: Colour, theme: str = "dark") -> tuple[float, float, float, float]:
    """Returns a colour as sRGB and alpha, 0..1. Raises UnknownName."""
    if isinstance(wanted, str) and wanted not in colour_maps.THEMES[theme]:
        raise UnknownName("colour", wanted, colour_maps.THEMES[theme])
    red, green, blue, *alpha = (
        colour_maps.srgb(colour_maps.THEMES[theme][wanted]) if isinstance(wanted, str) else wanted
    )
    return float(red), float(green), float(blue), float(alpha[0]) if alpha else 1.0


_text_shape = lru_cache(maxsize=512)(glyphs.text_shape)
"""Cached, as a menu is drawn again whenever a hand points at another item."""


class Canvas:
    """A plane in metres: origin in the lower left corner, x right, y up, z towards the viewer.

    A new shape lies on top of all earlier ones that it overlaps.
    """

    def __init__(self, theme: str = "dark") -> None:
        self.theme = theme
        self.width = self.height = 0.0
        """Largest x and y of all shapes."""
        self.pictures: list[tuple[np.ndarray, np.ndarray]] = []
        """(corners (4, 3) float32, counter-clockwise from the lower left; pixels (H, W, 4) sRGB, top row first)."""
        self._points, self._colours = [np.zeros((0, 3), np.float32)], [np.zeros((0, 4), np.float32)]
        self._triangles = [np.zeros((0, 3), np.int32)]
        self._point_count = 0
        self._shapes: list[tuple[Span, Span, int]] = []
        """(x, y, level) of each shape."""

    @property
    def points(self) -> np.ndarray:
        """(N, 3) float32, metres of the plane."""
        return np.concatenate(self._points)

    @property
    def colours(self) -> np.ndarray:
        """(N, 4) float32, sRGB and alpha of each point."""
        return np.concatenate(self._colours)

    @property
    def triangles(self) -> np.ndarray:
        """(T, 3) int32, indices of points."""
        return np.concatenate(self._triangles)

    @property
    def bounds(self) -> tuple[Span, Span]:
        """(left, right), (lower, upper) of all shapes; a square millimetre for an empty canvas."""
        edges = np.array([(*x, *y) for x, y, _ in self._shapes] or [(0.0, 1e-3, 0.0, 1e-3)])
        low, high = edges.min(0), edges.max(0)
        return (float(low[0]), float(high[1])), (float(low[2]), float(high[3]))

    def box(self, x: Span, y: Span, colour: Colour) -> None:
        """Adds a rectangle."""
        self._add(self._corners(x, y), np.array([[0, 1, 2], [0, 2, 3]]), colour)

    def frame(self, x: Span, y: Span, line: float, rim: Colour, inside: Colour) -> None:
        """Adds a rectangle with a rim of `line` metres inside its edges."""
        self.box(x, y, rim)
        self.box((x[0] + line, x[1] - line), (y[0] + line, y[1] - line), inside)

    def text(
        self,
        text: str,
        size: float,
        colour: Colour = "text",
        x: float = 0.0,
        y: float = 0.0,
        align: Align = "left",
        family: Font = "sans",
    ) -> float:
        """Adds a line of text whose baseline starts, is centred or ends at (x, y); returns its width in metres."""
        shape = _text_shape(text, family)
        width = shape.width * size
        start = x - {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * width
        lift = self._lift((start, start + width), (y - DESCENT * size, y + CAP * size))
        points = np.column_stack([shape.points * size + (start, y), np.full(len(shape.points), lift)])
        self._add(points, shape.triangles, colour)
        return width

    @staticmethod
    def measure(text: str, size: float, family: Font = "sans") -> float:
        """Returns the width of a line of text, in metres."""
        return glyphs.measure(text, family) * size

    def picture(self, x: Span, y: Span, pixels: np.ndarray) -> None:
        """Adds a picture, (H, W, 4) float32 sRGB, top row first, that fills a rectangle."""
        self.pictures.append((self._corners(x, y).astype(np.float32), pixels))

    def _corners(self, x: Span, y: Span) -> np.ndarray:
        lift = self._lift(x, y)
        return np.array([(x[0], y[0], lift), (x[1], y[0], lift), (x[1], y[1], lift), (x[0], y[1], lift)])

    def _lift(self, x: Span, y: Span) -> float:
        """Registers a new shape; returns its height above the plane."""
        under = [level for other_x, other_y, level in self._shapes if _overlap(other_x, x) and _overlap(other_y, y)]
        self._shapes.append((x, y, max(under, default=-1) + 1))
        self.width, self.height = max(self.width, x[1]), max(self.height, y[1])
        return LIFT_STEP * self._shapes[-1][2]

    def _add(self, points: np.ndarray, triangles: np.ndarray, colour: Colour) -> None:
        self._points.append(points.astype(np.float32))
        self._colours.append(np.tile(np.array(resolve_colour(colour, self.theme), np.float32), (len(points), 1)))
        self._triangles.append((triangles + self._point_count).astype(np.int32))
        self._point_count += len(points)


def _overlap(first: Span, second: Span) -> bool:
    return first[0] < second[1] and second[0] < first[1]
