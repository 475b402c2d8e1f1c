"""Places of the boards: inputs, title and charts at the entrance, answers and charts of figures at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .hall_model import HallLayout, Slot

GATE, FIGURE_GATE = 2.6, 1.4
"""y of the posts of the nearest input and the title board, in a walk and in a figure; metres."""
ANSWER, FIGURE_ANSWER = 1.5, 2.0
"""Least distance from the last wing's end to the answers, in a walk and in a figure; metres."""
SQUARE = 2.2
"""Width and height of an input's frame and of the title board, metres."""
CLASSES = (3.4, 2.45)
"""Width and height of an answer board, metres."""
CHARTS = (3.4, 2.45)
"""Width and height of the board of a chart, metres."""
MOST_CHARTS = 3
"""Charts that have a board."""
MOST_BOARDS = 8
"""Boards in the row of inputs, and in that of answers; further ones are only counted."""
MOST_IN_ROW = 3
"""Answers in one row of a figure."""
BESIDE, INPUT_ROW, ANSWER_ROW = 0.5, 5.6, 6.8
"""Least distance between two boards; greatest length of the rows of inputs and of answers, which shrink to fit; metres.
"""
DESK = (1.8, 0.9)
"""Width and depth of the shelf's desk, metres."""
DESK_Y, DESK_Z, DESK_LEAN = 0.5, 0.45, math.radians(32)
"""y of the desk's end at the aisle and height of its front edge in metres, and its slope in radians."""
HEAD = 0.35
"""Height of the text over a board at scale 1, metres."""


@dataclass(frozen=True)
class Board:
    """An upright rectangle; metres and radians."""

    position: tuple[float, float, float]
    """Lower left corner, seen from the front."""
    yaw: float
    width: float
    height: float
    scale: float = 1.0
    """Factor of its size against that in a walk."""

    @property
    def axes(self) -> np.ndarray:
        """(2, 3) float: unit vectors to its right and upwards."""
        return upright_axes(self.yaw)

    def corners(self, head: float = 0.0) -> np.ndarray:
        """Returns (4, 3) float corners in metres, from the lower left, against the clock.

        head: metres of room to add at the top, for a text.
        """
        right, up = self.axes * [[self.width], [self.height + head]]
        return np.array([np.zeros(3), right, right + up, up]) + self.position


def upright_axes(yaw: float) -> np.ndarray:
    """Returns (2, 3) float: the unit vectors right and up of an upright face."""
    return np.array([(math.cos(yaw), math.sin(yaw), 0.0), (0.0, 0.0, 1.0)])


def floor_axes(yaw: float) -> np.ndarray:
    """Returns (2, 3) float: the unit vectors right and up of a face that lies on the floor."""
    return np.array([(math.cos(yaw), math.sin(yaw), 0.0), (-math.sin(yaw), math.cos(yaw), 0.0)])


def input_boards(hall: HallLayout) -> list[Board]:
    """Returns the places of the inputs' frames, which hang in a row left of the entrance, from left to right."""
    count, figure = len(hall.board_links.inputs), hall.parallel_yaw is not None
    edge = min(SQUARE, (INPUT_ROW - BESIDE * (count - 1)) / count) * hall.scale
    yaw = hall.swing if hall.parallel_yaw is None else hall.parallel_yaw
    post = np.array([hall.wings[0].x - hall.aisle, FIGURE_GATE if figure else GATE, 0.6])
    post[2] += (SQUARE * hall.scale - edge) / 2
    across = upright_axes(yaw)[0]
    lefts = [post - across * (edge + k * (edge + BESIDE * hall.scale)) for k in reversed(range(count))]
    return [Board(_point(left), yaw, edge, edge, edge / SQUARE) for left in lefts]


def title_board(hall: HallLayout) -> Board:
    """Returns the place of the title board right of the entrance; a figure has its title in a corner instead."""
    return Board((hall.wings[0].x + hall.aisle, GATE, 0.6), -hall.swing, SQUARE, SQUARE)


def chart_place(hall: HallLayout) -> Board:
    """Returns the place of the first chart: right of the title board; in a figure right of the answers.

    Title and first chart are together as long as a row of inputs.
    """
    if hall.parallel_yaw is None:
        title, scale = title_board(hall), (INPUT_ROW - BESIDE - SQUARE) / CHARTS[0]
        corner = title.corners()[1] + title.axes[0] * BESIDE
        corner[2] += (SQUARE - CHARTS[1] * scale) / 2
        return Board(_point(corner), title.yaw, CHARTS[0] * scale, CHARTS[1] * scale, scale)
    answers, across = answer_boards(hall), upright_axes(hall.parallel_yaw)[0]
    corner = max((board.corners()[1] for board in answers), key=lambda end: float(end @ across))
    corner = corner + across * BESIDE * hall.scale
    corner[2] = min(board.position[2] for board in answers)
    width, height = (size * hall.scale for size in CHARTS)
    return Board(_point(corner), hall.parallel_yaw, width, height, hall.scale)


def chart_boards(hall: HallLayout) -> list[Board]:
    """Returns the places of the charts, a row from left to right."""
    first = chart_place(hall)
    pace = first.axes[0] * (first.width + BESIDE * first.scale)
    return [replace(first, position=_point(pace * k + first.position)) for k in range(hall.board_links.charts)]


def answer_boards(hall: HallLayout) -> list[Board]:
    """Returns the places of the answers, a row that closes the aisle; in a figure it is parallel to the panels.

    In a figure more than MOST_IN_ROW stand in two rows, the first ones above, each over the gap of two below.
    """
    count, figure, yaw = len(hall.board_links.answers), hall.parallel_yaw is not None, hall.parallel_yaw or 0.0
    columns = math.ceil(count / 2) if figure and count > MOST_IN_ROW else count
    wide = columns + (0.5 if columns < count else 0)
    share = min(1.0, (ANSWER_ROW - BESIDE * (columns - 1)) / (CLASSES[0] * wide))
    scale, gap = share * hall.scale, BESIDE * hall.scale
    width, height = (size * scale for size in CLASSES)
    left = -(count * (width + gap) - gap) / 2 if not figure else 0.2 * hall.scale
    foot = max(0.7, hall.edge_height + 0.25 * hall.scale) if figure else 0.7 + (CLASSES[1] * hall.scale - height) / 2
    corner, across = np.array([hall.wings[-1].x, hall.answer_y, foot]), upright_axes(yaw)[0]
    boards = []
    for k in range(count):
        below = k >= columns
        over = 0.0 if below or columns == count else height + (HEAD + 0.2) * scale
        along = left + (k - columns * below + 0.5 * below) * (width + gap)
        boards.append(Board(_point(corner + across * along + (0, 0, over)), yaw, width, height, scale))
    return boards


def answer_posts(hall: HallLayout) -> list[np.ndarray]:
    """Returns the ends, (2, 3) float in metres, of the uprights from a figure's edges to the upper row of answers."""
    placed, links = answer_boards(hall), hall.board_links
    through = {answer for _, answer in links.through}
    linked = [bool(sources) or k in through for k, sources in enumerate(links.answers)]
    lowest = min(board.position[2] for board in placed)
    feet = [board.corners()[:2].mean(0) for board, is_linked in zip(placed, linked, strict=True) if is_linked]
    return [np.array([(*foot[:2], hall.edge_height), foot]) for foot in feet if foot[2] > lowest + 1e-6]


def input_slots(hall: HallLayout) -> list[Slot]:
    """Returns a slot for each input: its post is the lower right corner of the frame, where its edges begin."""
    ends = [board.corners()[1] for board in input_boards(hall)]
    x = hall.wings[0].x
    return [Slot(-1, "conv", -1, float(end[1]), 0, 0, 0, x, aisle=x - float(end[0])) for end in ends]


def answer_slots(hall: HallLayout) -> list[Slot]:
    """Returns a slot for each answer, where its edges end: before the middle of a board in a row, else in its lane."""
    last = len(hall.wings) - 1
    x, feet = hall.wings[last].x, [board.corners()[:2].mean(0) for board in answer_boards(hall)]
    if len(feet) == 1:
        return [Slot(-1, "conv", 0, hall.answer_y, 0, 0, last, x, aisle=hall.aisle)]
    sides = [1 if foot[0] >= x else -1 for foot in feet]
    return [
        Slot(-1, "conv", side, float(foot[1]), 0, 0, last, x, aisle=abs(float(foot[0]) - x))
        for side, foot in zip(sides, feet, strict=True)
    ]


def boards(hall: HallLayout) -> list[Board]:
    """Returns the places of all boards of a hall."""
    titles = [title_board(hall)] if hall.parallel_yaw is None else []
    return [*input_boards(hall), *answer_boards(hall), *titles, *chart_boards(hall)]


def _point(point: np.ndarray) -> tuple[float, float, float]:
    return (float(point[0]), float(point[1]), float(point[2]))


@dataclass(frozen=True)
class ShelfDesk:
    """A rectangle that leans back, like a desk in a museum; metres."""

    position: tuple[float, float, float]
    """Lower left corner, seen from the front."""
    right: tuple[float, float, float]
    """Unit vector along its front edge."""
    up: tuple[float, float, float]
    """Unit vector along its left edge."""

    @property
    def corners(self) -> np.ndarray:
        """(4, 3) float, from the lower left, against the clock."""
        right, up = np.array(self.right) * DESK[0], np.array(self.up) * DESK[1]
        return np.array([np.zeros(3), right, right + up, up]) + self.position


def shelf_desk(hall: HallLayout) -> ShelfDesk:
    """Returns the desk before and below the input's frame; neither hides the other from the entrance."""
    across, back = upright_axes(hall.swing)[0], np.array([-math.sin(hall.swing), math.cos(hall.swing), 0.0])
    end = np.array([hall.wings[0].x - hall.aisle - 0.05, DESK_Y, DESK_Z])
    up = math.cos(DESK_LEAN) * back + math.sin(DESK_LEAN) * np.array([0.0, 0.0, 1.0])
    return ShelfDesk(_point(end - across * DESK[0]), _point(across), _point(up))
