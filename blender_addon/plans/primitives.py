"""What plans are made of: planes in space, coloured faces, lines of text and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ...torch_bridge.recording.errors import UnknownName
from ..imaging import colour_maps as colours
from ..layout import boards
from ..layout.text_fitting import CAP, DESCENT, Align, Font, text_width

Measure = Callable[[str, Font], float]
"""Returns the length of a line of text as a share of its size."""
Colour = str | np.ndarray
"""A role of the theme, or linear RGB (3,)."""
Interval = tuple[float, float]
"""Both ends of a stretch along an axis, metres."""

ALIGNED = {"left": 0.0, "centre": 0.5, "right": 1.0}
"""Share of a line of text that lies left of its position."""
PICTURE_LIFT = 0.02
"""Metres between a picture and the plane that it is planned on."""


@dataclass(frozen=True)
class Plane:
    """A plane with axes of its own, in metres; its viewer stands on the side of right × up."""

    origin: np.ndarray
    """(3,) float, metres."""
    right: np.ndarray
    """(3,) float unit vector."""
    up: np.ndarray
    """(3,) float unit vector."""

    def points(self, x: np.ndarray, y: np.ndarray, lift: float = 0.0) -> np.ndarray:
        """Returns (…, 3) points in space of coordinates (…) on the plane, moved `lift` towards the viewer; metres."""
        x, y = np.asarray(x, float)[..., None], np.asarray(y, float)[..., None]
        return self.origin + x * self.right + y * self.up + lift * self.normal

    def moved(self, x: float, y: float, lift: float = 0.0) -> Plane:
        """Returns the plane with its origin moved along its own axes, in metres."""
        return Plane(self.points(np.array(x), np.array(y), lift), self.right, self.up)

    @property
    def normal(self) -> np.ndarray:
        """(3,) float, towards the viewer."""
        return np.cross(self.right, self.up)

    def matrix(self) -> np.ndarray:
        """Returns the (4, 4) float transform from plane to world."""
        result = np.eye(4)
        result[:3] = np.stack([self.right, self.up, self.normal, self.origin], 1)
        return result


FLAT = Plane(np.zeros(3), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
"""The plane of x and y."""


def wall(origin: np.ndarray | tuple[float, float, float], yaw: float) -> Plane:
    """Returns an upright plane with its lower left corner at `origin` (3,); one with yaw 0 faces -y."""
    return Plane(np.asarray(origin, float), *boards.upright_axes(yaw))


def ground(origin: np.ndarray | tuple[float, float, float], yaw: float = 0.0) -> Plane:
    """Returns a horizontal plane that is seen from above, with its corner at `origin` (3,)."""
    return Plane(np.asarray(origin, float), *boards.floor_axes(yaw))


@dataclass(frozen=True)
class Style:
    """The colours of a theme, and the measure of its fonts."""

    palette: Mapping[str, np.ndarray]
    """By role: linear RGB (3,) float, 0..1."""
    measure: Measure = text_width

    @classmethod
    def of(cls, theme: str, measure: Measure = text_width) -> Style:
        """Returns the style of a theme. Raises UnknownName."""
        if theme not in colours.THEMES:
            raise UnknownName("theme", theme, colours.THEMES)
        return cls({role: np.array(colours.linear(code)) for role, code in colours.THEMES[theme].items()}, measure)

    def colour(self, colour: Colour) -> np.ndarray:
        """Returns a role as linear RGB (3,) float, and linear RGB unchanged."""
        return self.palette[colour] if isinstance(colour, str) else colour

    def fit(self, text: str, room: float, size: float, font: Font = "sans") -> float:
        """Returns `size`, or the smaller size at which the text is `room` metres long."""
        return min(size, room / max(self.measure(text, font), 1e-6))

    def wrap(self, text: str, room: float, size: float, font: Font = "sans") -> list[str]:
        """Returns the lines of a text, broken at spaces so that each is `room` metres long at most, if words allow."""
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.measure(longer, font) * size <= room:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines


@dataclass(frozen=True)
class Faces:
    """Coloured triangles or quads."""

    points: np.ndarray
    """(n, 3) float, metres."""
    corners: np.ndarray
    """(m, 3) or (m, 4) int: which points each face joins, against the clock for its viewer."""
    colours: np.ndarray
    """(n, 3) float linear RGB of each point."""


@dataclass(frozen=True)
class TextRun:
    """A line of text in one colour."""

    text: str
    plane: Plane
    x: float
    """Start, middle or end of the base line, by `align`; metres on the plane."""
    y: float
    """Height of the base line, metres on the plane."""
    size: float
    """Metres; a capital is CAP of it high."""
    colour: np.ndarray
    """(3,) float linear RGB."""
    align: Align
    font: Font
    lift: float
    """Metres before the plane."""
    width: float
    """Metres."""

    def box(self) -> np.ndarray:
        """Returns the (4, 3) float corners of the text in metres, from the lower left, against the clock."""
        left = self.x - ALIGNED[self.align] * self.width
        x = np.array([left, left + self.width, left + self.width, left])
        y = self.y + np.array([-DESCENT, -DESCENT, CAP, CAP]) * self.size
        return self.plane.points(x, y, self.lift)


@dataclass(frozen=True)
class Picture:
    """An image on a rectangle."""

    name: str
    role: str
    pixels: np.ndarray
    """(H, W, 3) uint8 sRGB, top row first."""
    plane: Plane
    """Its origin is the picture's lower left corner."""
    size: tuple[float, float]
    """Width and height, metres."""
    number: int = 0
    """Which of several boards it belongs to."""
    mosaic: tuple[int, int] = (1, 1)
    """Number of pictures in it and of columns they stand in, where it is a mosaic of several."""


@dataclass
class Plan:
    """A part of a hall as faces, lines of text and pictures, in the order in which they were added."""

    style: Style
    name: str = ""
    role: str = ""
    """Says which part of the hall it is, such as "floor"."""
    placement: Plane = FLAT
    """The plane in space whose coordinates all others are in."""
    scale: float = 1.0
    """Factor for all lengths on the placement."""
    items: list[Faces | TextRun] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    number: int = 0
    """Which of several boards it is."""

    def __bool__(self) -> bool:
        return bool(self.items)

    @property
    def texts(self) -> list[TextRun]:
        """The lines of text."""
        return [item for item in self.items if isinstance(item, TextRun)]

    @property
    def faces(self) -> list[Faces]:
        """All that isn't text."""
        return [item for item in self.items if isinstance(item, Faces)]

    def quads(self, corners: np.ndarray, colour: Colour) -> None:
        """Adds quads with `corners` (n, 4, 3) float in metres, in one colour or in (n, 3) float linear RGB."""
        rgb = self.style.colour(colour)
        by_point = np.repeat(rgb, 4, 0) if rgb.ndim == 2 else np.broadcast_to(rgb, (4 * len(corners), 3))
        indices = np.arange(4 * len(corners)).reshape(-1, 4)
        self.items.append(Faces(corners.reshape(-1, 3), indices, by_point))

    def box(self, plane: Plane, x: Interval, y: Interval, colour: Colour, lift: float = 0.0) -> None:
        """Adds a rectangle of a plane, `lift` metres before it."""
        corners = plane.points(np.array([x[0], x[1], x[1], x[0]]), np.array([y[0], y[0], y[1], y[1]]), lift)
        self.quads(corners[None], colour)

    def frame(
        self, plane: Plane, size: tuple[float, float], rim: str = "frame", margin: float = 0.05, line: float = 0.022
    ) -> None:
        """Adds a board with a rim of width `line` around the rectangle from (0, 0) to `size`, `margin` away from it."""
        for inset, colour, lift in ((margin, rim, 0.0), (margin - line, "board", 0.006)):
            self.box(plane, (-inset, size[0] + inset), (-inset, size[1] + inset), colour, lift)

    def ribbon(self, path: np.ndarray, width: float, colour: Colour) -> None:
        """Adds a strip along a path (n, 3) float in metres: horizontal, and upright where the path climbs."""
        steps = np.diff(path, axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        keep = lengths > 1e-4
        start, end, step = path[:-1][keep], path[1:][keep], steps[keep] / lengths[keep, None]
        flat = (np.abs(step[:, 2]) < 0.9)[:, None]
        across = np.stack([-step[:, 1], step[:, 0], 0 * step[:, 0]], 1)
        side = np.where(flat, across, [1.0, 0.0, 0.0]) * width / 2
        over = np.where(flat, step * width * 0.2, 0.0)  # joints of two pieces overlap a little
        self.quads(
            np.stack([start - side - over, end - side + over, end + side + over, start + side - over], 1), colour
        )

    def text(
        self,
        plane: Plane,
        text: str,
        size: float,
        colour: Colour = "text",
        *,
        x: float = 0.0,
        y: float = 0.0,
        align: Align = "left",
        font: Font = "sans",
        lift: float = 0.03,
    ) -> float:
        """Adds a line of text at (x, y) of the plane, and returns its width in metres."""
        width = self.style.measure(text, font) * size
        self.items.append(TextRun(text, plane, x, y, size, self.style.colour(colour), align, font, lift, width))
        return width


def aspect_size(pixels: np.ndarray, edge: float) -> tuple[float, float]:
    """Returns width and height in metres of a picture (H, W, …) whose longer side is `edge`."""
    height, width = pixels.shape[:2]
    return edge * width / max(width, height), edge * height / max(width, height)
