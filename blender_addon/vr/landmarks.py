"""Landmarks that a walk visits in turn: entrance, inputs, each stage, answers. Pure: from the plan of a hall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..layout.boards import Board, answer_boards, input_boards
from ..layout.hall_model import HallLayout
from ..layout.stages import stage_title

STAGE_DISTANCE = 0.5
"""Metres before a stage's gate."""
BOARD_DISTANCE = 2.2
"""Metres from a board of scale 1, along its normal."""
ENTRANCE_Y = -1.2
"""y of the entrance, in metres: shelf and input are on the left, the first gate is ahead."""


class Landmark(NamedTuple):
    """A named position on the floor and a direction to face."""

    name: str
    position: tuple[float, float]
    """x and y on the floor, metres."""
    yaw: float
    """Direction in radians, counter-clockwise from above; 0 is along the aisle (+y)."""


def plan_landmarks(hall: HallLayout) -> list[Landmark]:
    """Returns the landmarks of a hall in the order of the tour."""
    first_x = hall.wings[0].x
    found = [Landmark("Entrance", (first_x, ENTRANCE_Y), 0.0), *_before_boards("Input", input_boards(hall))]
    for stage in hall.stages:
        if not stage.continued:
            position = hall.wings[stage.wing].x, stage.start - STAGE_DISTANCE
            found.append(Landmark(stage_title(stage), position, 0.0))
    return [*found, *_before_boards("Answer", answer_boards(hall))]


def _before_boards(name: str, row: list[Board]) -> list[Landmark]:
    """Returns a landmark in front of each board of a row: "Input" for a single one, else "Input 1" and so on."""
    names = [name] if len(row) == 1 else [f"{name} {number}" for number in range(1, len(row) + 1)]
    return [_before_board(each, board) for each, board in zip(names, row, strict=True)]


def _before_board(name: str, board: Board) -> Landmark:
    """Returns the landmark on the floor in front of a board, facing it."""
    right = board.axes[0]
    middle = np.array(board.position) + right * board.width / 2
    normal = np.cross(right, (0.0, 0.0, 1.0))
    position = middle + normal * BOARD_DISTANCE * board.scale
    return Landmark(name, (float(position[0]), float(position[1])), board.yaw)
