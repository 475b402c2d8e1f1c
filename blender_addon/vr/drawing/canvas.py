"""What a walk draws on a plane: boxes, words and pictures, collected once as triangles. No gpu here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ....torch_bridge.recording.errors import UnknownName
from ...imaging import colour
from ...layout.text_fitting import CAP, DESCENT, Align, Font
from ...scene.paint import glyphs

PIXELS = 18
"""Pixels a degree of a headset of today, in the middle of its lenses."""
STEP = 0.0004
"""Metres between a thing and what lies on it, so that a depth buffer tells them apart."""

Colour = str | tuple[float, ...]
"""A role of a theme, or sRGB 0..1 with or without alpha."""
Span = tuple[float, float]


def size_for(pixels: float, distance: float) -> float:
    """Size of words, metres, whose capitals are so many pixels of a headset high from that distance, metres."""
    return distance * math.tan(math.radians(pixels / PIXELS)) / CAP


@lru_cache(maxsize=256)
def tone(wanted: Colour, theme: str = "dark") -> tuple[float, float, float, float]:
    """sRGB and alpha 0..1. Raises UnknownName."""
    if isinstance(wanted, str) and wanted not in colour.THEMES[theme]:
        raise UnknownName("colour", wanted, colour.THEMES[theme])
    red, green, blue, *alpha = colour.srgb(colour.THEMES[theme][wanted]) if isinstance(wanted, str) else wanted
    return float(red), float(green), float(blue), float(alpha[0]) if alpha else 1.0


_word = lru_cache(maxsize=512)(glyphs.text_shape)
"""Menus are drawn again whenever a hand points at another entry."""


class Sketch:
    """A plane in metres: its origin is the lower left corner, x right, y up, z to the viewer.

    What is added lies on what it overlaps of all that was added before.
    """

    def __init__(self, theme: str = "dark") -> None:
        self.theme = theme
        self.width = self.height = 0.0
        """How far things reach."""
        self.pictures: list[tuple[np.ndarray, np.ndarray]] = []
        """(corners (4, 3) float32 from the lower left, against the clock; pixels (H, W, 4) sRGB, top row first)."""
        self._points, self._colours = [np.zeros((0, 3), np.float32)], [np.zeros((0, 4), np.float32)]
        self._triangles = [np.zeros((0, 3), np.int32)]
        self._count = 0
        self._levels: list[tuple[Span, Span, int]] = []

    @property
    def points(self) -> np.ndarray:
        """(n, 3) float32 metres of the plane."""
        return np.concatenate(self._points)

    @property
    def colours(self) -> np.ndarray:
        """(n, 4) float32 sRGB and alpha."""
        return np.concatenate(self._colours)

    @property
    def triangles(self) -> np.ndarray:
        """(m, 3) int32 into the points."""
        return np.concatenate(self._triangles)

    @property
    def bounds(self) -> tuple[Span, Span]:
        """(left, right), (lowest, highest) of all that was added; of nothing a millimetre."""
        found = np.array([(*x, *y) for x, y, _ in self._levels] or [(0.0, 1e-3, 0.0, 1e-3)])
        low, high = found.min(0), found.max(0)
        return (float(low[0]), float(high[1])), (float(low[2]), float(high[3]))

    def box(self, x: Span, y: Span, colour: Colour) -> None:
        """A rectangle."""
        self._add(self._corners(x, y), np.array([[0, 1, 2], [0, 2, 3]]), colour)

    def frame(self, x: Span, y: Span, line: float, rim: Colour, inside: Colour) -> None:
        """A rectangle with a rim of `line` metres inside its edges."""
        self.box(x, y, rim)
        self.box((x[0] + line, x[1] - line), (y[0] + line, y[1] - line), inside)

    def words(
        self, body: str, size: float, colour: Colour = "text", x: float = 0.0, y: float = 0.0, align: Align = "left",
        family: Font = "sans",
    ) -> float:  # fmt: skip
        """A line of text whose base line starts, is centred or ends at (x, y); its width, metres."""
        shape = _word(body, family)
        wide = shape.width * size
        start = x - {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * wide
        lift = self._lift((start, start + wide), (y - DESCENT * size, y + CAP * size))
        points = np.column_stack([shape.points * size + (start, y), np.full(len(shape.points), lift)])
        self._add(points, shape.triangles, colour)
        return wide

    @staticmethod
    def measure(body: str, size: float, family: Font = "sans") -> float:
        """Width of a line of text, metres."""
        return glyphs.measure(body, family) * size

    def picture(self, x: Span, y: Span, pixels: np.ndarray) -> None:
        """Pixels (H, W, 4) float32 sRGB, top row first, over a rectangle."""
        self.pictures.append((self._corners(x, y).astype(np.float32), pixels))

    def _corners(self, x: Span, y: Span) -> np.ndarray:
        lift = self._lift(x, y)
        return np.array([(x[0], y[0], lift), (x[1], y[0], lift), (x[1], y[1], lift), (x[0], y[1], lift)])

    def _lift(self, x: Span, y: Span) -> float:
        """Height over the plane of what is added there now."""
        under = [level for a, b, level in self._levels if _meet(a, x) and _meet(b, y)]
        self._levels.append((x, y, max(under, default=-1) + 1))
        self.width, self.height = max(self.width, x[1]), max(self.height, y[1])
        return STEP * self._levels[-1][2]

    def _add(self, points: np.ndarray, triangles: np.ndarray, colour: Colour) -> None:
        self._points.append(points.astype(np.float32))
        self._colours.append(np.tile(np.array(tone(colour, self.theme), np.float32), (len(points), 1)))
        self._triangles.append((triangles + self._count).astype(np.int32))
        self._count += len(points)


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
