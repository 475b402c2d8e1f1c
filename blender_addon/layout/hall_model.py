"""The parts of a laid-out hall, and the sizes of panels. World: x across, y along the walk, z up; metres, radians.

Every panel hangs on a post at the edge of a free aisle and turns on it like a door. There is no second row, so a walker
passes every layer, and no edge crosses a panel, because edges stay between the posts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

AISLE_HALF_WIDTH = 1.2
"""Metres from a post to the middle of the aisle."""
PANEL_BOTTOM, EYE_HEIGHT, PANEL_TOP = 0.45, 1.70, 3.35
"""Height of a panel's lowest edge, of a walker's eye and the middle of small panels, and of a panel's highest edge."""
TILE_MIN, TILE_MAX, FILL = 0.08, 0.90, 0.92
"""Least and greatest edge of a cell in metres; share of a cell that its tile fills."""
WIDEST = 4.6
"""Greatest width of a panel, metres; cells of very many channels shrink below TILE_MIN to keep it."""
BAR_ASPECT, MAX_ASPECT = 4.0, 8.0
"""Width to height of a vector's bars; greatest ratio of a cell's sides."""

SlotKind = Literal["conv", "sum", "product", "join"]
EdgeKind = Literal["data", "skip", "joined"]


@dataclass(frozen=True)
class Slot:
    """The place of one panel, or of one joint across the aisle (side 0)."""

    index: int
    """Position in the list of layers that was laid out."""
    kind: SlotKind
    side: int
    """-1: left, 1: right, 0: a joint, a bar across the aisle."""
    y: float
    """y of the post."""
    rank: int
    """Number of panels and joints on the longest path from an input to this one."""
    stage: int
    wing: int = 0
    x: float = 0.0
    """x of the aisle's middle."""
    columns: int = 0
    rows: int = 0
    cell: tuple[float, float] = (0.0, 0.0)
    """Width and height of a cell, metres."""
    width: float = 0.0
    height: float = 0.0
    bottom: float = 0.0
    aisle: float = AISLE_HALF_WIDTH
    """Metres from the middle of the aisle to the post."""

    @property
    def post(self) -> float:
        """World x of the post; for a joint, of the middle of the aisle."""
        return self.x + self.side * self.aisle

    @property
    def top(self) -> float:
        """Height of the upper edge."""
        return self.bottom + self.height

    def corners(self, yaw: float) -> np.ndarray:
        """Returns (2, 2) float: x, y of the left and the right end, seen from the front, of a panel turned to `yaw`."""
        reach = np.array([math.cos(yaw), math.sin(yaw)]) * self.width
        post = np.array([self.post, self.y])
        return np.array([post - reach, post] if self.side < 0 else [post, post + reach])


@dataclass
class Stage:
    """A part of the hall with one map size, or with a few that are too short for stages of their own."""

    parts: list[tuple[tuple[int, int], int]]
    """Map sizes (H, W) in order of appearance, no two equal ones in a row, each with its first position."""
    first: int
    """Position of its first layer in the list of layers."""
    last: int
    """Position of its last layer."""
    start: float = 0.0
    end: float = 0.0
    wing: int = 0
    half: float = 0.0
    """Half the width of its plate."""
    continued: bool = False
    """True for the second part of a stage that is split between two wings."""

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Map sizes (H, W) in order of appearance."""
        return [size for size, _ in self.parts]

    @property
    def count(self) -> int:
        """Number of panels and joints in it."""
        return self.last - self.first + 1


class WingCrossing(NamedTuple):
    """How edges get to a later wing: around the end of theirs, along its plates and along the heads of wings."""

    lane: float
    """World x of their lane in the later wing."""
    track: int
    """Place among the edges beside the plates, the innermost first."""
    row: int
    """Place among the edges along the heads, the innermost first."""


class EdgeRun(NamedTuple):
    """Edges of one kind and height from one source to its targets in one wing, along a common lane."""

    kind: EdgeKind
    above: bool
    """True: overhead, over more than one rank. False: on the floor."""
    lane: float
    """World x of the lane."""
    source: Slot
    targets: list[Slot]
    crossing: WingCrossing | None = None
    """If the targets are in another wing."""


class BoardLinks(NamedTuple):
    """Which layers the boards of a hall have edges to, as positions in the list of layers that is laid out."""

    inputs: tuple[tuple[int, ...], ...]
    """For each input, the layers that it feeds."""
    answers: tuple[tuple[int, ...], ...]
    """For each output, the layers whose values it is made of."""
    through: tuple[tuple[int, int], ...] = ()
    """Inputs that an output is made of with no layer between: pairs of their positions among inputs and outputs."""
    charts: int = 0
    """Number of boards with charts, which have no edges."""


class Wing(NamedTuple):
    """A part of a figure's hall: x of its middle, half its width, and y of its end. Wings stand side by side."""

    x: float
    half: float
    end: float


@dataclass
class HallLayout:
    """The layout of a network."""

    slots: list[Slot]
    stages: list[Stage]
    runs: list[EdgeRun]
    swing: float
    """Angle by which panels are turned into the aisle, radians."""
    wings: list[Wing] = field(default_factory=list)
    parallel_yaw: float | None = None
    """Yaw of all panels of a figure, which are parallel; None in a walk, where they are turned by `swing`."""
    aisle: float = AISLE_HALF_WIDTH
    """Metres from the middle of the aisle to the posts; a figure's is wide enough to show edges between the rows."""
    margin: float = 0.0
    """Width of the strip beside the plates that holds the labels of stages and blocks, metres; figures only."""
    edge_room: float = 0.8
    """Width of the strip's part in which edges run to the next wing, beside the labels; metres."""
    edge_pitch: float = 0.3
    """Distance of two such edges, metres."""
    scale: float = 1.0
    """Factor for the sizes of input and answer board; a figure's grow with its span, so that they can be read."""
    answer_y: float = 0.0
    """y of the answer board."""
    edge_height: float = 0.0
    """Height of a figure's near edges, over which its answer boards stand; metres."""
    board_links: BoardLinks = BoardLinks(((),), ((),))
    """The layers that each of the boards at the entrance and at the end has edges to."""
    board_lanes: Mapping[tuple[int, int], float] = field(default_factory=dict)
    """World x of the lane of each board's edges, by their number and wing: those of inputs, then those of answers, then
    those of inputs that are answers."""
    board_tracks: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """Track and row of those that lead from a wing to later ones, by their number and that wing."""
    board_runs: list[EdgeRun] = field(default_factory=list)
    """Edges from each input to the layers that it feeds, and from layers to the answers that they make."""

    def yaw(self, slot: Slot) -> float:
        """Returns the yaw of a panel: one for all in a figure; in a walk `swing` on the left, -`swing` on the right."""
        return -slot.side * self.swing if self.parallel_yaw is None else self.parallel_yaw

    @property
    def edge_start(self) -> float:
        """Distance from a wing's plates to the innermost edge beside them, metres."""
        return self.margin - self.edge_room + 0.35

    @property
    def panels(self) -> list[Slot]:
        """The slots with a panel, in order."""
        return [slot for slot in self.slots if slot.side]


def tile_edge(channels: int) -> float:
    """Returns the edge of a cell in metres: it falls with the cube root of the count of channels."""
    return min(max(1.1 * max(channels, 1) ** (-1 / 3), TILE_MIN), TILE_MAX)


def cell_aspect(height: int, width: int) -> float:
    """Returns width to height of a cell for maps of (height, width) values; a single value is a bar."""
    if height == width == 1:
        return BAR_ASPECT
    return min(max(width / max(height, 1), 1 / MAX_ASPECT), MAX_ASPECT)


@lru_cache(maxsize=4096)
def panel_grid(channels: int, aspect: float = 1.0) -> tuple[int, int, float, float]:
    """Returns columns, rows, and width and height of a cell in metres. aspect: width to height of a cell.

    Of the numbers of rows near the ideal one, those with no more than 2 % empty cells are preferred, then the nearest.
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
    most = max(1, int((PANEL_TOP - PANEL_BOTTOM) / height + 1e-9))
    ideal = min(math.sqrt(channels * aspect) * 0.92, most)
    near = [rows for rows in range(1, most + 1) if abs(rows - ideal) <= max(1.3, ideal * 0.25)]
    rows = min(near, key=lambda rows: (-channels % rows / channels > 0.02, abs(rows - ideal)))
    return -(-channels // rows), rows, height
