"""The actions of each controller's buttons, as tables from which the action set of a walk is built. No bpy here.

A button runs an action of the hand (`BUTTON_ACTIONS`); a stick flies by Blender's own navigation (`FLIGHTS`). Each
action is on both hands if the controller has buttons for it; the simple controller has only pick and menu; other
actions are in the menu. Component paths: OpenXR 1.0, section 6.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

ACTION_SET = "innerwalk"
"""Name of the action set. Only one set is active at a time, so this one has its own navigation."""
HANDS = ("left", "right")
Axis = Literal["ANY", "POSITIVE", "NEGATIVE"]
Mode = Literal["PRESS", "RELEASE", "MODAL"]

TOUCH = "/interaction_profiles/oculus/touch_controller"
VIVE = "/interaction_profiles/htc/vive_controller"
INDEX = "/interaction_profiles/valve/index_controller"
WMR = "/interaction_profiles/microsoft/motion_controller"
SIMPLE = "/interaction_profiles/khr/simple_controller"


class ButtonAction(NamedTuple):
    """An action that a button runs once."""

    name: str
    """Name in `hand_actions.HAND_ACTIONS`: pick, grip, let_go …"""
    input: str
    """Key of INPUTS."""
    mode: Mode = "PRESS"
    axis: Axis = "ANY"
    threshold: float = 0.3


class StickFlight(NamedTuple):
    """Blender's own navigation while a stick is held."""

    name: str
    axis: Axis
    properties: Mapping[str, object]
    """Properties of `wm.xr_navigation_fly`; those that this version of Blender lacks are left out."""
    input: str = "forward"
    threshold: float = 0.3


BUTTON_ACTIONS = (
    ButtonAction("pick", "trigger", threshold=0.5), ButtonAction("grip", "squeeze", threshold=0.5),
    ButtonAction("let_go", "squeeze", "RELEASE", threshold=0.5), ButtonAction("menu", "menu"),
    ButtonAction("next_landmark", "next"), ButtonAction("previous_landmark", "previous"),
    ButtonAction("turn_left", "sideways", axis="NEGATIVE", threshold=0.7),
    ButtonAction("turn_right", "sideways", axis="POSITIVE", threshold=0.7),
)  # fmt: skip
FLIGHTS = (
    StickFlight("fly_forward", "POSITIVE", {"mode": "VIEWER_FORWARD", "lock_location_z": True}),
    StickFlight("fly_back", "NEGATIVE", {"mode": "VIEWER_BACK", "lock_location_z": True}),
)

Paths = tuple[str, str]
"""Component paths of the left and of the right hand, which differ on some controllers."""


def _both(path: str) -> Paths:
    return path, path


INPUTS: dict[str, dict[str, Paths]] = {
    "trigger": {
        INDEX: _both("trigger/value"), TOUCH: _both("trigger/value"), VIVE: _both("trigger/value"),
        WMR: _both("trigger/value"), SIMPLE: _both("select/click"),
    },
    "squeeze": {
        INDEX: _both("squeeze/value"), TOUCH: _both("squeeze/value"), VIVE: _both("squeeze/click"),
        WMR: _both("squeeze/click"),
    },
    "menu": {
        INDEX: _both("b/click"), TOUCH: ("y/click", "b/click"), VIVE: _both("menu/click"), WMR: _both("menu/click"),
        SIMPLE: _both("menu/click"),
    },
    "next": {
        INDEX: _both("a/click"), TOUCH: ("x/click", "a/click"), VIVE: _both("trackpad/click"),
        WMR: _both("trackpad/click"),
    },
    "previous": {
        INDEX: _both("thumbstick/click"), TOUCH: _both("thumbstick/click"), WMR: _both("thumbstick/click"),
    },
    "forward": {
        INDEX: _both("thumbstick/y"), TOUCH: _both("thumbstick/y"), VIVE: _both("trackpad/y"),
        WMR: _both("thumbstick/y"),
    },
    "sideways": {
        INDEX: _both("thumbstick/x"), TOUCH: _both("thumbstick/x"), VIVE: _both("trackpad/x"),
        WMR: _both("thumbstick/x"),
    },
}  # fmt: skip
"""Component path below /input/, by input and by interaction profile."""
PROFILES = (INDEX, TOUCH, VIVE, WMR, SIMPLE)


def component_paths(name: str) -> Iterator[tuple[str, Paths]]:
    """Yields (profile, full component paths of both hands) of an input."""
    for profile, (left, right) in INPUTS[name].items():
        yield profile, (f"/input/{left}", f"/input/{right}")
