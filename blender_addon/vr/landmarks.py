"""Places that a walk goes to by a button: entrance, input, each stage, class board. Pure: from the plan of a hall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..layout.boards import Board, answer_board, input_board
from ..layout.model import Hall
from ..layout.stages import stage_title

BEFORE = 0.5
"""Metres before a stage's gate."""
AWAY = 2.2
"""Metres from a board, on its normal."""
ENTRANCE = -1.2
"""y of the entrance: the shelf's desk and the input are to the left, the first gate in the middle."""


class Landmark(NamedTuple):
    """Where one stands."""

    name: str
    place: tuple[float, float]
    """x and y on the floor, metres."""
    yaw: float
    """Which way one looks, radians; 0 along the aisle (+y), counted counter-clockwise from above."""


def landmarks(hall: Hall) -> list[Landmark]:
    """In the order of a tour."""
    first = hall.wings[0].x
    found = [Landmark("Entrance", (first, ENTRANCE), 0.0), _before("Input", input_board(hall))]
    for stage in hall.stages:
        if not stage.continued:
            found.append(Landmark(stage_title(stage), (hall.wings[stage.wing].x, stage.start - BEFORE), 0.0))
    return [*found, _before("Answer", answer_board(hall))]


def _before(name: str, board: Board) -> Landmark:
    """On the floor before a board, turned to it."""
    right = board.axes[0]
    middle = np.array(board.position) + right * board.width / 2
    normal = np.cross(right, (0.0, 0.0, 1.0))
    at = middle + normal * AWAY * board.scale
    return Landmark(name, (float(at[0]), float(at[1])), board.yaw)
