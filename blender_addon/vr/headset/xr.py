"""Blender's XR session, and nothing else of the walk: the one place that calls its API.

The session's state is read anew each time, for it exists only while a session does. Starting and stopping take frames.
"""

from __future__ import annotations

import math
from typing import Any

import addon_utils
import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ....torch_bridge.recording.errors import SceneError
from . import bindings

INSPECTION = "viewport_vr_preview"
"""Blender's own add-on, VR Scene Inspection."""
STOCK = "blender_default"
"""Its action set."""
EYE, LOW, HIGH = 1.65, 1.0, 2.1
"""Height of the eye where the runtime's is none that a person stands with, and the bounds of those, metres."""
OPERATOR = "innerwalk.hand"
PATH = "/user/hand/"
HAPTIC = {"haptic_name": "haptic", "haptic_match_user_paths": True, "haptic_duration": 0.03,
          "haptic_frequency": 150.0, "haptic_amplitude": 0.4, "haptic_mode": "PRESS"}  # fmt: skip
"""A touch that is felt when something is picked."""


def missing() -> str:
    """What has to be installed before there can be a session; "" where nothing is known to be."""
    if not bpy.app.build_options.xr_openxr:
        return "this Blender is built without OpenXR; install one from blender.org for Linux or Windows"
    return ""


def settings() -> Any:
    """How sessions are: `XrSessionSettings`."""
    return bpy.context.window_manager.xr_session_settings


def state() -> Any:
    """The session that runs: `XrSessionState`; None without one."""
    return bpy.context.window_manager.xr_session_state


def running() -> bool:
    """Whether a session runs; one that has just ended may not be gone yet."""
    return bool(bpy.types.XrSessionState.is_running(bpy.context))


def tracked() -> bool:
    """Whether the head was seen yet: until then its pose is none."""
    return running() and state() is not None and abs(state().viewer_pose_rotation[0]) != 1.0


def toggle() -> None:
    """Start or stop. Raises SceneError where Blender can't."""
    window = bpy.context.window_manager.windows[0]
    area = next((one for one in window.screen.areas if one.type == "VIEW_3D"), None)
    if area is None:
        raise SceneError("no 3D view in the window; open one, the headset shows its scene")
    region = next(one for one in area.regions if one.type == "WINDOW")
    try:
        with bpy.context.temp_override(window=window, area=area, region=region):
            done = bpy.ops.wm.xr_session_toggle()
    except RuntimeError as error:
        raise SceneError(f"{str(error).strip() or 'the session did not start'}; {RUNTIME}") from error
    if "FINISHED" not in done:
        raise SceneError(f"the session did not start; {RUNTIME}")


RUNTIME = "install an OpenXR runtime (SteamVR, Meta Quest Link, WMR, Monado), start it and connect the headset"


def create_actions() -> None:
    """While a session starts: the action set of a walk, and it is the active one. Raises SceneError."""
    now, context = state(), bpy.context
    made = now.actionmaps.new(now, bindings.SET, True)
    held = [now.action_set_create(context, made)]
    for name, what in (("hand_grip", "grip"), ("hand_aim", "aim")):
        item = _item(made, name, "POSE")
        setattr(item, f"pose_is_controller_{what}", True)
        held += _bound(made, item, ((profile, (f"/input/{what}/pose",) * 2) for profile in bindings.PROFILES))
    item = _item(made, "haptic", "VIBRATION")
    held += _bound(made, item, ((profile, ("/output/haptic",) * 2) for profile in bindings.PROFILES))
    for act in bindings.ACTS:
        item = _item(made, act.name, "FLOAT")
        item.op, item.op_mode = OPERATOR, act.mode
        item.op_properties.act = act.name
        for key, value in HAPTIC.items() if act.name == "pick" else ():
            setattr(item, key, value)
        held += _bound(made, item, bindings.paths(act.input), act.axis, act.threshold)
    for flight in bindings.FLIGHTS:
        item = _item(made, flight.name, "FLOAT")
        item.op, item.op_mode = "wm.xr_navigation_fly", "MODAL"
        for key, value in flight.properties.items():
            if hasattr(item.op_properties, key):
                setattr(item.op_properties, key, value)
        held += _bound(made, item, bindings.paths(flight.input), flight.axis, flight.threshold)
    held.append(now.controller_pose_actions_set(context, made.name, "hand_grip", "hand_aim"))
    held.append(now.active_action_set_set(context, made.name))
    if not all(held):
        raise SceneError("the runtime refused a part of the walk's actions; hands may not answer")


def _item(made: Any, name: str, kind: str) -> Any:
    item = made.actionmap_items.new(name, True)
    item.type = kind
    for hand in bindings.HANDS:
        item.user_paths.new(PATH + hand)
    return item


def _bound(made: Any, item: Any, paths: Any, axis: str = "ANY", threshold: float = 0.0) -> list[bool]:
    """Create an action with what it is bound to; whether each part was taken."""
    held = [state().action_create(bpy.context, made, item)]
    for number, (profile, both) in enumerate(paths):
        binding = item.bindings.new(f"{item.name} {number}", True)
        binding.profile = profile
        if item.type == "FLOAT":
            binding.threshold, binding.axis0_region = threshold, axis
        for path in both:
            binding.component_paths.new(path)
        held.append(state().action_binding_create(bpy.context, made, item, binding))
    return held


def drop_actions() -> None:
    """While the session still runs: Blender's own action set is the active one again, and ours is gone."""
    now = state()
    if now is None:
        return
    if now.actionmaps.find(now, STOCK):
        now.active_action_set_set(bpy.context, STOCK)
    ours = now.actionmaps.find(now, bindings.SET)
    if ours is not None:
        now.actionmaps.remove(now, ours)


def hand_pose(name: str) -> np.ndarray:
    """(4, 4) where a hand points from, world; along its -z."""
    now, index = state(), bindings.HANDS.index(name)
    place = now.controller_aim_location_get(bpy.context, index)
    turn = now.controller_aim_rotation_get(bpy.context, index)
    return np.array(Matrix.LocRotScale(Vector(place), Quaternion(turn), None))


class Headset:
    """The body of who wears it. Blender's navigation is moved; where the person is in the room stays."""

    def eye(self) -> np.ndarray:
        """(4, 4) between the eyes, world."""
        now = state()
        turn = Quaternion(now.viewer_pose_rotation)
        return np.array(Matrix.LocRotScale(Vector(now.viewer_pose_location), turn, None))

    def stand(self, place: tuple[float, float], yaw: float | None = None) -> None:
        """The eye is over a place of the floor, as high as a person stands whatever the runtime reports."""
        eye, now = self.eye(), state()
        height = eye[2, 3] - now.navigation_location[2]
        high = height if LOW <= height <= HIGH else EYE
        self._move(eye, np.array([*place, high]), 0.0 if yaw is None else yaw - heading(eye))

    def turn(self, by: float) -> None:
        """About the eye, which stays where it is."""
        eye = self.eye()
        self._move(eye, eye[:3, 3], by)

    def _move(self, eye: np.ndarray, to: np.ndarray, by: float) -> None:
        """viewer = navigation @ what the runtime tracks: the first is changed, so that the eye comes there."""
        now = state()
        turn = Quaternion((0.0, 0.0, 1.0), by)
        reach = turn @ (Vector(eye[:3, 3].tolist()) - Vector(now.navigation_location))
        now.navigation_rotation = turn @ Quaternion(now.navigation_rotation)
        now.navigation_location = Vector(to.tolist()) - reach


def heading(pose: np.ndarray) -> float:
    """Yaw of where a pose looks: 0 along +y, counter-clockwise from above; of one that looks up or down, of its up."""
    ahead = -pose[:3, 2]
    if math.hypot(ahead[0], ahead[1]) < 1e-3:
        ahead = pose[:3, 1] * math.copysign(1.0, -ahead[2])
    return math.atan2(-ahead[0], ahead[1])


def inspection(enable: bool) -> bool:
    """Enable or disable Blender's own add-on for this run; whether that changed anything."""
    modules: Any = addon_utils.modules
    there = any(one.__name__ == INSPECTION for one in modules())
    if not there or addon_utils.check(INSPECTION)[1] == enable:
        return False
    if enable:
        addon_utils.enable(INSPECTION, default_set=False)
    else:
        addon_utils.disable(INSPECTION, default_set=False)
    return True
