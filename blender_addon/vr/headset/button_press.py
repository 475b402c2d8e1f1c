"""Handles a pressed button of a controller: the hand acts from its pose at that moment."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from .. import hand_actions, walk


def handle_button(action: str, event: bpy.types.Event) -> None:
    """Runs a button's action for the hand of an `XR_ACTION` event; does nothing if no walk is running."""
    running, xr_event = walk.current(), event.xr
    name = str(xr_event.user_path).rpartition("/")[2] if xr_event else ""
    if running is None or name not in running.hands:
        return
    hand = running.hands[name]
    running.point_hand(hand, _pose(xr_event))
    hand_actions.perform(running, hand, action)


def _pose(xr_event: Any) -> np.ndarray:
    position, rotation = Vector(xr_event.controller_location), Quaternion(xr_event.controller_rotation)
    return np.array(Matrix.LocRotScale(position, rotation, None))
