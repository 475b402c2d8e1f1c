"""The only module of a walk that calls Blender's XR API.

The session's state is read again each time, as it exists only during a session, which takes frames to start and stop.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import addon_utils
import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ....torch_bridge.recording.errors import SceneError
from ...layout.camera_presets import LENS
from ...layout.view import View
from ...scene.view.region_view import view_along
from . import bindings

INSPECTION_ADDON = "viewport_vr_preview"
"""Module of Blender's own add-on VR Scene Inspection."""
DEFAULT_ACTION_SET = "blender_default"
"""Name of that add-on's action set."""
EYE_HEIGHT, MIN_EYE_HEIGHT, MAX_EYE_HEIGHT = 1.65, 1.0, 2.1
"""Height of the eye, in metres, if the runtime reports one outside of these bounds."""
PICTURE_SIZE = 1920, 1080
"""Size in pixels of a picture that the walker takes."""
OPERATOR = "innerwalk.hand"
USER_PATH = "/user/hand/"
HAPTIC = {
    "haptic_name": "haptic", "haptic_match_user_paths": True, "haptic_duration": 0.03, "haptic_frequency": 150.0,
    "haptic_amplitude": 0.4, "haptic_mode": "PRESS",
}  # fmt: skip
"""Vibration of the controller when something is picked."""
RUNTIME_HELP = "install an OpenXR runtime (SteamVR, Meta Quest Link, WMR, Monado), start it and connect the headset"


def missing_support() -> str:
    """Returns what has to be installed before a session can start, "" if nothing is known to be missing."""
    if not bpy.app.build_options.xr_openxr:
        return "this Blender was built without OpenXR; install one from blender.org for Linux or Windows"
    return ""


def settings() -> Any:
    """Returns the settings of sessions, `XrSessionSettings`."""
    return bpy.context.window_manager.xr_session_settings


def state() -> Any:
    """Returns the state of the session, `XrSessionState`; None without a session."""
    return bpy.context.window_manager.xr_session_state


def running() -> bool:
    """Returns whether a session is running; one that has just ended may still count."""
    return bool(bpy.types.XrSessionState.is_running(bpy.context))


def tracked() -> bool:
    """Returns whether the head is tracked; before that its pose is the identity."""
    return running() and state() is not None and abs(state().viewer_pose_rotation[0]) != 1.0


def toggle_session() -> None:
    """Starts or stops the session. Raises SceneError if Blender can't."""
    window = bpy.context.window_manager.windows[0]
    area = next((area for area in window.screen.areas if area.type == "VIEW_3D"), None)
    if area is None:
        raise SceneError("the window has no 3D view; open one, as the headset shows its scene")
    region = next(region for region in area.regions if region.type == "WINDOW")
    try:
        with bpy.context.temp_override(window=window, area=area, region=region):
            result = bpy.ops.wm.xr_session_toggle()
    except RuntimeError as error:
        raise SceneError(f"{str(error).strip() or 'the session did not start'}; {RUNTIME_HELP}") from error
    if "FINISHED" not in result:
        raise SceneError(f"the session did not start; {RUNTIME_HELP}")


def create_actions() -> None:
    """Creates the walk's action set and activates it, while a session starts. Raises SceneError."""
    session, context = state(), bpy.context
    action_map = session.actionmaps.new(session, bindings.ACTION_SET, True)
    accepted = [session.action_set_create(context, action_map)]
    for name, kind in (("hand_grip", "grip"), ("hand_aim", "aim")):
        item = _add_item(action_map, name, "POSE")
        setattr(item, f"pose_is_controller_{kind}", True)
        paths = ((profile, (f"/input/{kind}/pose",) * 2) for profile in bindings.PROFILES)
        accepted += _bind(action_map, item, paths)
    item = _add_item(action_map, "haptic", "VIBRATION")
    accepted += _bind(action_map, item, ((profile, ("/output/haptic",) * 2) for profile in bindings.PROFILES))
    for action in bindings.BUTTON_ACTIONS:
        item = _add_item(action_map, action.name, "FLOAT")
        item.op, item.op_mode = OPERATOR, action.mode
        item.op_properties.act = action.name
        for key, value in HAPTIC.items() if action.name == "pick" else ():
            setattr(item, key, value)
        accepted += _bind(action_map, item, bindings.component_paths(action.input), action.axis, action.threshold)
    for flight in bindings.FLIGHTS:
        item = _add_item(action_map, flight.name, "FLOAT")
        item.op, item.op_mode = "wm.xr_navigation_fly", "MODAL"
        for key, value in flight.properties.items():
            if hasattr(item.op_properties, key):
                setattr(item.op_properties, key, value)
        accepted += _bind(action_map, item, bindings.component_paths(flight.input), flight.axis, flight.threshold)
    accepted.append(session.controller_pose_actions_set(context, action_map.name, "hand_grip", "hand_aim"))
    accepted.append(session.active_action_set_set(context, action_map.name))
    if not all(accepted):
        raise SceneError("the runtime rejected some of the walk's actions; the controllers may not respond")


def _add_item(action_map: Any, name: str, kind: str) -> Any:
    item = action_map.actionmap_items.new(name, True)
    item.type = kind
    for hand in bindings.HANDS:
        item.user_paths.new(USER_PATH + hand)
    return item


def _bind(
    action_map: Any, item: Any, paths: Iterable[tuple[str, bindings.Paths]], axis: str = "ANY", threshold: float = 0.0
) -> list[bool]:
    """Creates an action and its bindings; returns for each whether the runtime accepted it."""
    accepted = [state().action_create(bpy.context, action_map, item)]
    for number, (profile, both) in enumerate(paths):
        binding = item.bindings.new(f"{item.name} {number}", True)
        binding.profile = profile
        if item.type == "FLOAT":
            binding.threshold, binding.axis0_region = threshold, axis
        for path in both:
            binding.component_paths.new(path)
        accepted.append(state().action_binding_create(bpy.context, action_map, item, binding))
    return accepted


def remove_actions() -> None:
    """Removes the walk's action set and activates Blender's own, while the session still runs."""
    session = state()
    if session is None:
        return
    if session.actionmaps.find(session, DEFAULT_ACTION_SET):
        session.active_action_set_set(bpy.context, DEFAULT_ACTION_SET)
    action_map = session.actionmaps.find(session, bindings.ACTION_SET)
    if action_map is not None:
        session.actionmaps.remove(session, action_map)


def hand_pose(name: str) -> np.ndarray:
    """Returns the aim pose of a hand, (4, 4), to world; it points along -z."""
    session, index = state(), bindings.HANDS.index(name)
    position = session.controller_aim_location_get(bpy.context, index)
    rotation = session.controller_aim_rotation_get(bpy.context, index)
    return np.array(Matrix.LocRotScale(Vector(position), Quaternion(rotation), None))


class Headset:
    """The walker's body in a headset. Moving changes Blender's navigation, not the position in the tracked room."""

    def eye(self) -> np.ndarray:
        """Returns the pose of the head, between the eyes, (4, 4), to world."""
        session = state()
        rotation = Quaternion(session.viewer_pose_rotation)
        return np.array(Matrix.LocRotScale(Vector(session.viewer_pose_location), rotation, None))

    def camera(self) -> View:
        """Returns what both eyes see, as a camera that is held level."""
        eye = self.eye()
        return view_along(eye[:3, 3], -eye[:3, 2], PICTURE_SIZE, lens=LENS)

    def stand(self, position: tuple[float, float], yaw: float | None = None) -> None:
        """Stands at (x, y) on the floor, at a standing person's height, facing yaw (radians, 0: +y), None as before."""
        eye, session = self.eye(), state()
        height = eye[2, 3] - session.navigation_location[2]
        if not MIN_EYE_HEIGHT <= height <= MAX_EYE_HEIGHT:
            height = EYE_HEIGHT
        self._move(eye, np.array([*position, height]), 0.0 if yaw is None else yaw - heading(eye))

    def turn(self, angle: float) -> None:
        """Turns about the vertical through the eye, radians, counter-clockwise from above."""
        eye = self.eye()
        self._move(eye, eye[:3, 3], angle)

    def _move(self, eye: np.ndarray, position: np.ndarray, angle: float) -> None:
        """Changes the navigation so that the eye arrives: viewer pose = navigation @ tracked pose."""
        session = state()
        rotation = Quaternion((0.0, 0.0, 1.0), angle)
        offset = rotation @ (Vector(eye[:3, 3].tolist()) - Vector(session.navigation_location))
        session.navigation_rotation = rotation @ Quaternion(session.navigation_rotation)
        session.navigation_location = Vector(position.tolist()) - offset


def heading(pose: np.ndarray) -> float:
    """Returns the yaw in radians of a pose, (4, 4), that looks along -z: 0 along +y, counter-clockwise from above.

    For a pose that looks straight up or down it is the yaw of its y axis.
    """
    ahead = -pose[:3, 2]
    if math.hypot(ahead[0], ahead[1]) < 1e-3:
        ahead = pose[:3, 1] * math.copysign(1.0, -ahead[2])
    return math.atan2(-ahead[0], ahead[1])


def enable_inspection(enable: bool) -> bool:
    """Enables or disables Blender's VR add-on until Blender ends; returns whether that changed anything."""
    modules: Any = addon_utils.modules
    installed = any(module.__name__ == INSPECTION_ADDON for module in modules())
    if not installed or addon_utils.check(INSPECTION_ADDON)[1] == enable:
        return False
    if enable:
        addon_utils.enable(INSPECTION_ADDON, default_set=False)
    else:
        addon_utils.disable(INSPECTION_ADDON, default_set=False)
    return True
