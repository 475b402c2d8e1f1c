"""What each button of each controller does: tables, from which the action set of a walk is made. No bpy here.

A hand acts (`ACTS`) or Blender's own navigation flies. Every act is on both hands, wherever a controller has buttons
for it on both; the simple one picks and opens the menu, which has the rest. Component paths: OpenXR 1.0, 6.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

SET = "innerwalk"
"""Name of the action set; one set is active at a time, so this one has its own navigation."""
HANDS = ("left", "right")
Axis = Literal["ANY", "POSITIVE", "NEGATIVE"]
Mode = Literal["PRESS", "RELEASE", "MODAL"]

TOUCH, VIVE, INDEX, WMR, SIMPLE = (
    f"/interaction_profiles/{one}"
    for one in (
        "oculus/touch_controller", "htc/vive_controller", "valve/index_controller", "microsoft/motion_controller",
        "khr/simple_controller",
    )
)  # fmt: skip


class Act(NamedTuple):
    """Something that a hand does once."""

    name: str
    """What the walk is told: pick, grip, let_go …"""
    input: str
    """What is pressed, by the name of a row of INPUTS."""
    mode: Mode = "PRESS"
    axis: Axis = "ANY"
    threshold: float = 0.3


class Flight(NamedTuple):
    """Blender's own navigation while a stick is held."""

    name: str
    axis: Axis
    properties: Mapping[str, object]
    """Of `wm.xr_navigation_fly`; those that this Blender doesn't know are left out."""
    input: str = "forward"
    threshold: float = 0.3


ACTS = (
    Act("pick", "trigger", threshold=0.5), Act("grip", "squeeze", threshold=0.5),
    Act("let_go", "squeeze", "RELEASE", threshold=0.5), Act("menu", "menu"),
    Act("next_landmark", "next"), Act("previous_landmark", "previous"),
    Act("turn_left", "sideways", axis="NEGATIVE", threshold=0.7),
    Act("turn_right", "sideways", axis="POSITIVE", threshold=0.7),
)  # fmt: skip
FLIGHTS = (
    Flight("fly_forward", "POSITIVE", {"mode": "VIEWER_FORWARD", "lock_location_z": True}),
    Flight("fly_back", "NEGATIVE", {"mode": "VIEWER_BACK", "lock_location_z": True}),
)

Paths = tuple[str, str]
"""Of the left and of the right hand's part; the same input may be elsewhere on the two."""


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
"""What is pressed -> profile -> component path below /input/."""
PROFILES = (INDEX, TOUCH, VIVE, WMR, SIMPLE)


def paths(name: str) -> Iterator[tuple[str, Paths]]:
    """(profile, full component paths of both hands) of an input."""
    for profile, (left, right) in INPUTS[name].items():
        yield profile, (f"/input/{left}", f"/input/{right}")
