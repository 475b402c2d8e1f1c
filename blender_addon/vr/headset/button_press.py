"""A button of a controller was pressed: the hand acts from where it was then."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from .. import hand_actions, walk


def pressed(act: str, event: bpy.types.Event) -> None:
    """Do what a button means, by the event of `XR_ACTION`; nothing where no walk goes on."""
    goes_on, told = walk.current(), event.xr
    name = str(told.user_path).rpartition("/")[2] if told else ""
    if goes_on is None or name not in goes_on.hands:
        return
    hand = goes_on.hands[name]
    goes_on.point(hand, _pose(told))
    hand_actions.act(goes_on, hand, act)


def _pose(told: Any) -> np.ndarray:
    place, turn = Vector(told.controller_location), Quaternion(told.controller_rotation)
    return np.array(Matrix.LocRotScale(place, turn, None))
