"""The parts of a laid-out plate: measures, lines of columns, boxes of nodes, edges. Millimetres, y downwards."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from ..font import text_length
from ..page_style import PageStyle
from .graph import PlateGraph
from .grid import PlateGrid

Point = tuple[float, float]
PlateEdgeKind = Literal["called", "data", "joined", "skip"]
"""`called` leads from a tile to its enlargement, the others are those of a hall."""
TALLEST = 240.0
"""Height of a printed page's type area, mm."""


@dataclass(frozen=True)
class PlateStyle(PageStyle):
    """Measures of a plate, mm."""

    stack: float = 1.0
    """Between panels of a column."""
    gap: float = 2.0
    """Least width between columns; the last part of it is the edges' heads."""
    head: float = 1.1
    pitch: float = 0.55
    """Between two edges that run side by side."""
    tiles: tuple[float, float] = (0.45, 1.15)
    """Shorter side of the smallest tile of a single value, and of a tile of a large map."""
    largest: tuple[float, float] = (6.0, 2.5)
    """Side of the largest tile of a single value, and the largest side of a value of a map."""
    narrowest: float = 8.5
    """Width of a panel that has room for its shape."""
    bar: float = 0.5
    """Width of a joint."""

    def least_tile(self, texels: int) -> float:
        """Returns the shorter side of the smallest tile of a map with so many values on a side."""
        return min(max(texels * self.pixel, self.tiles[0]), self.tiles[1])

    def most_tile(self, texels: int) -> float:
        """Returns the longer side of the largest tile of a map with so many values on that side."""
        return max(self.largest[0], texels * self.largest[1])

    @property
    def label(self) -> float:
        """Height of the two lines under a panel."""
        return 2 * self.line_height + 0.5

    def labels(self, count: int) -> float:
        """Returns the height of a column of so many nodes that they themselves can't have."""
        return count * self.label + (count - 1) * self.stack

    @property
    def tallest(self) -> float:
        """Greatest height of a page: the type area of a printed one, or of a wider page that of its format."""
        return max(TALLEST, math.sqrt(2) * self.width)

    @property
    def number(self) -> float:
        """Width of a number that stands for a name."""
        return self.length(text_length("000"))

    @property
    def board(self) -> float:
        """Width of a board with text."""
        return 20.0 if self.width < 120 else 24.0


@dataclass
class PlateLine:
    """A line of columns, which is read like a line of text."""

    columns: list[list[int]]
    """Nodes of each column from top to bottom."""
    grids: dict[int, PlateGrid]
    """By node, of panels."""
    height: float
    gaps: list[float]
    """Least width before each column and behind the last."""
    is_last: bool = False
    top: float = 0.0

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.top + self.height

    @property
    def stacked(self) -> int:
        """Largest number of nodes in a column."""
        return max(map(len, self.columns))


@dataclass(frozen=True)
class PlateBox:
    """The place of a node."""

    node: int
    line: int
    column: int
    x: float
    y: float
    width: float
    height: float
    grid: PlateGrid | None = None
    tile: tuple[int, int] = (0, 0)
    """Width and height of a tile, pixels."""
    room: tuple[float, float] = (0.0, 0.0)
    """Left and right end of its column, in which its label stands."""

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.y + self.height

    def tile_box(self, number: int, pixel: float) -> tuple[float, float, float, float]:
        """Returns left, top, right and bottom of a tile, counted by rows; pixel: mm."""
        assert self.grid is not None
        row, column = divmod(number, self.grid.columns)
        x, y = self.x + column * (self.tile[0] + 1) * pixel, self.y + row * (self.tile[1] + 1) * pixel
        return x, y, x + self.tile[0] * pixel, y + self.tile[1] * pixel


@dataclass(frozen=True)
class PlateEdge:
    """Edges of one kind from one node to others, as one trunk with branches."""

    source: int
    targets: tuple[int, ...]
    kind: PlateEdgeKind
    segments: tuple[tuple[Point, Point], ...]
    """Horizontal and vertical pieces."""
    heads: tuple[Point, ...]
    """Where it enters its targets, from the left."""
    inner: tuple[tuple[Point, Point], ...] = ()
    """Pieces over its source, from the tile that is called out."""


@dataclass
class PlateLayout:
    """The layout of a plate, below a head of some height that is left free."""

    graph: PlateGraph
    style: PlateStyle
    lines: list[PlateLine]
    boxes: dict[int, PlateBox] = field(default_factory=dict)
    """By node."""
    edges: list[PlateEdge] = field(default_factory=list)
    height: float = 0.0
    """Of the whole page."""

    @property
    def tile_area(self) -> float:
        """Area of all shown tiles, mm², without gaps and empty cells."""
        sizes = ((box.tile[0] * box.tile[1] * box.grid.shown) for box in self.boxes.values() if box.grid is not None)
        return sum(sizes) * self.style.pixel**2

    @property
    def tile_share(self) -> float:
        """Share of the page that tiles cover, 0..1."""
        return self.tile_area / (self.style.width * self.height)
