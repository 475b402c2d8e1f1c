"""Places of the boards: input and title at the entrance, the answer at the end of the aisle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .hall_model import HallLayout

GATE, FIGURE_GATE = 2.6, 1.4
"""y of the posts of the input and the title board, in a walk and in a figure; metres."""
ANSWER, FIGURE_ANSWER = 1.5, 4.0
"""Least distance from the last wing's end to the answer board, in a walk and in a figure; metres."""
SQUARE = 2.2
"""Width and height of the input's frame and of the title board, metres."""
CLASSES = (3.4, 2.45)
"""Width and height of the answer board, metres."""
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


def input_board(hall: HallLayout) -> Board:
    """Returns the place of the input's frame, which hangs left of the entrance like a panel."""
    figure, edge = hall.parallel_yaw is not None, SQUARE * hall.scale
    yaw = hall.swing if hall.parallel_yaw is None else hall.parallel_yaw
    left = np.array([hall.wings[0].x - hall.aisle, FIGURE_GATE if figure else GATE, 0.6]) - upright_axes(yaw)[0] * edge
    return Board(_point(left), yaw, edge, edge, hall.scale)


def title_board(hall: HallLayout) -> Board:
    """Returns the place of the title board right of the entrance; a figure has its title in a corner instead."""
    return Board((hall.wings[0].x + hall.aisle, GATE, 0.6), -hall.swing, SQUARE, SQUARE)


def answer_board(hall: HallLayout) -> Board:
    """Returns the place of the answer board, which closes the aisle; in a figure it is parallel to the panels."""
    width, height = (size * hall.scale for size in CLASSES)
    yaw = hall.parallel_yaw or 0.0
    left = -width / 2 if hall.parallel_yaw is None else 0.2 * hall.scale
    corner = np.array([hall.wings[-1].x, hall.answer_y, 0.7]) + upright_axes(yaw)[0] * left
    return Board(_point(corner), yaw, width, height, hall.scale)


def boards(hall: HallLayout) -> list[Board]:
    """Returns the places of all boards of a hall."""
    return [input_board(hall), answer_board(hall), *([title_board(hall)] if hall.parallel_yaw is None else [])]


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
