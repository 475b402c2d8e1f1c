"""What a laid-out hall is made of, and how large a panel is. World: x across, y along the walk, z up; metres, radians.

Every panel hangs on a post at the edge of a free aisle and swings on it like a door. There is no second row, so a
walker meets every layer, and an edge can't cross a panel, because edges stay between the posts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

HALF = 1.2
"""From a post to the middle of the aisle."""
BASE, EYE, TOP = 0.45, 1.70, 3.35
"""Lowest edge of a panel, eye of a walker and middle of small panels, highest edge of a panel."""
TILE_MIN, TILE_MAX, FILL = 0.08, 0.90, 0.92
"""Least and largest edge of a cell; share of a cell that its tile fills."""
WIDEST = 4.6
"""Widest panel; cells of very many channels shrink below TILE_MIN to keep it."""
BAR_ASPECT, MAX_ASPECT = 4.0, 8.0
"""Width to height of a vector's bars; the most extreme aspect of a cell, either way."""

SlotKind = Literal["conv", "sum", "product", "join"]
EdgeKind = Literal["data", "skip", "joined"]


@dataclass(frozen=True)
class Slot:
    """Where one panel hangs, or where one joint crosses the aisle (side 0)."""

    index: int
    """Position in the list of layers that was planned."""
    kind: SlotKind
    side: int
    """-1 left, 1 right, 0 a joint: a bar across the aisle."""
    y: float
    """Of the post."""
    rank: int
    """Panels and joints on the longest way from an input."""
    stage: int
    wing: int = 0
    x: float = 0.0
    """Middle of the aisle."""
    columns: int = 0
    rows: int = 0
    cell: tuple[float, float] = (0.0, 0.0)
    """Width and height of a cell."""
    width: float = 0.0
    height: float = 0.0
    bottom: float = 0.0
    aisle: float = HALF
    """From the middle of the aisle to the post."""

    @property
    def post(self) -> float:
        """World x of its post; of a joint, the middle of the aisle."""
        return self.x + self.side * self.aisle

    @property
    def top(self) -> float:
        return self.bottom + self.height

    def corners(self, yaw: float) -> np.ndarray:
        """(2, 2) left and right end of the foot line on the floor, seen from the front, for a door at `yaw`."""
        reach = np.array([math.cos(yaw), math.sin(yaw)]) * self.width
        post = np.array([self.post, self.y])
        return np.array([post - reach, post] if self.side < 0 else [post, post + reach])


@dataclass
class Stage:
    """A stretch of the hall with one map size, or a few that are too short for a stage of their own."""

    parts: list[tuple[tuple[int, int], int]]
    """Map sizes (H, W) in order of appearance, no two equal ones in a row, each with its first position."""
    first: int
    last: int
    """Positions in the list of layers, both included."""
    start: float = 0.0
    end: float = 0.0
    wing: int = 0
    half: float = 0.0
    """Half the width of its plate."""
    continued: bool = False
    """True for the rest of a stage that a wing has cut."""

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Map sizes (H, W) in order of appearance."""
        return [size for size, _ in self.parts]

    @property
    def count(self) -> int:
        """Panels and joints in it."""
        return self.last - self.first + 1


class EdgeRun(NamedTuple):
    """A trunk from one source with taps to its targets."""

    kind: EdgeKind
    above: bool
    """True: overhead, over more than one rank. False: painted on the floor."""
    lane: float
    """World x of the lane it follows."""
    source: Slot
    targets: list[Slot]


class Wing(NamedTuple):
    """A piece of the hall; wings stand side by side like lines of text."""

    x: float
    half: float
    end: float


@dataclass
class Hall:
    """A planned network: where everything stands."""

    slots: list[Slot]
    stages: list[Stage]
    runs: list[EdgeRun]
    swing: float
    """How far the doors stand into the aisle."""
    wings: list[Wing] = field(default_factory=list)
    parallel_yaw: float | None = None
    """Yaw of all doors of a figure, where they stand parallel; None: they stand swung, for walking."""
    aisle: float = HALF
    """From the middle of the aisle to the posts; a figure's is wide enough to show the edges between the rows."""
    margin: float = 0.0
    """Width of the strip beside the plates that holds the words of stages and blocks; figures only."""
    scale: float = 1.0
    """Size of the input and of the class board; a figure's grow with its span, so that they can be read."""
    answer_y: float = 0.0
    """y of the class board."""
    board_runs: list[EdgeRun] = field(default_factory=list)
    """From the input to the first panels and from the last ones to the class board."""

    def yaw(self, slot: Slot) -> float:
        """Yaw of a door: all alike in a figure; walking, left doors turn clockwise and right ones the other way."""
        return -slot.side * self.swing if self.parallel_yaw is None else self.parallel_yaw

    @property
    def panels(self) -> list[Slot]:
        """The slots that have a panel, in order."""
        return [slot for slot in self.slots if slot.side]


def tile_edge(channels: int) -> float:
    """Edge of a cell: falls with the cube root of the count, so a panel's area grows with channels ** (1/3)."""
    return min(max(1.1 * max(channels, 1) ** (-1 / 3), TILE_MIN), TILE_MAX)


def cell_aspect(height: int, width: int) -> float:
    """Width to height of a cell for maps of (height, width) values; a single value is a bar."""
    if height == width == 1:
        return BAR_ASPECT
    return min(max(width / max(height, 1), 1 / MAX_ASPECT), MAX_ASPECT)


@lru_cache(maxsize=4096)
def panel_grid(channels: int, aspect: float = 1.0) -> tuple[int, int, float, float]:
    """Columns, rows, cell width, cell height. `aspect` is width to height of a cell.

    Of the row counts near the ideal one, the first with no more than 2 % empty cells, then the nearest.
    """
    edge = tile_edge(channels)
    channels = max(channels, 1)
    while True:
        columns, rows, height = _rows(channels, aspect, edge)
        if columns * height * aspect <= WIDEST:
            break
        edge *= 0.97
    return columns, rows, height * aspect, height


def _rows(channels: int, aspect: float, edge: float) -> tuple[int, int, float]:
    height = edge / math.sqrt(aspect)
    most = max(1, int((TOP - BASE) / height + 1e-9))
    ideal = min(math.sqrt(channels * aspect) * 0.92, most)
    near = [rows for rows in range(1, most + 1) if abs(rows - ideal) <= max(1.3, ideal * 0.25)]
    rows = min(near, key=lambda rows: (-channels % rows / channels > 0.02, abs(rows - ideal)))
    return -(-channels // rows), rows, height
