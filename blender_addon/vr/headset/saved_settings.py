"""Settings that a walk changes and restores: those of the session, and Blender's landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from ..landmarks import Landmark
from . import xr

SETTINGS: dict[str, Any] = {
    "base_pose_type": "CUSTOM", "base_scale": 1.0, "view_scale": 1.0, "use_absolute_tracking": False,
    "use_positional_tracking": True, "show_controllers": False, "show_custom_overlays": True, "show_floor": False,
    "show_annotation": False, "show_selection": False, "show_object_extras": False, "clip_start": 0.02,
    "clip_end": 500.0,
}  # fmt: skip
"""Settings of a walk's session; those that this version of Blender lacks are left out."""
LANDMARK_PROPERTIES = ("name", "type", "base_pose_object", "base_pose_location", "base_pose_angle", "base_scale")


class SavedSettings:
    """The user's settings, which a walk replaces until it ends."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self.scene_name = scene.name
        self.enabled_addon = False
        """Whether the walk has enabled Blender's VR add-on."""
        self.settings: dict[str, Any] = {}
        self.landmarks: list[dict[str, Any]] | None = None
        self.selected = (0, 0)
        """(active, selected) index of the landmarks."""

    def enter(self, landmarks: Sequence[Landmark]) -> None:
        """Saves the user's settings and sets those of a walk; Blender's landmarks become those of the tour."""
        self.enabled_addon = xr.enable_inspection(True)
        self.replace(landmarks)

    def replace(self, landmarks: Sequence[Landmark]) -> None:
        """Does the same while Blender's add-on stays enabled, as after a file was saved."""
        session, first = xr.settings(), landmarks[0]
        wanted = SETTINGS | {"base_pose_location": (*first.position, 0.0), "base_pose_angle": first.yaw}
        for name, value in wanted.items():
            if hasattr(session, name):
                self.settings[name] = _copy(getattr(session, name))
                setattr(session, name, value)
        scene = bpy.data.scenes[self.scene_name]
        if hasattr(scene, "vr_landmarks"):
            self.landmarks = [
                {name: _copy(getattr(landmark, name)) for name in LANDMARK_PROPERTIES}
                for landmark in scene.vr_landmarks
            ]
            self.selected = scene.vr_landmarks_active, scene.vr_landmarks_selected
            _set_landmarks(scene, [_landmark_properties(landmark) for landmark in landmarks], (0, 0))

    def leave(self) -> None:
        """Restores the user's settings."""
        self.restore()
        if self.enabled_addon:
            xr.enable_inspection(False)

    def restore(self) -> None:
        """Does the same while Blender's add-on stays enabled, as before a file is saved."""
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self.scene_name)
        if scene is not None and self.landmarks is not None and hasattr(scene, "vr_landmarks"):
            _set_landmarks(scene, self.landmarks, self.selected)
        for name, value in self.settings.items():
            setattr(xr.settings(), name, value)


def _landmark_properties(landmark: Landmark) -> dict[str, Any]:
    pose = {"base_pose_location": (*landmark.position, 0.0), "base_pose_angle": landmark.yaw}
    return {"name": landmark.name, "type": "CUSTOM", "base_scale": 1.0, **pose}


def _set_landmarks(scene: Any, landmarks: Sequence[dict[str, Any]], selected: tuple[int, int]) -> None:
    scene.vr_landmarks.clear()
    for properties in landmarks:
        landmark = scene.vr_landmarks.add()
        for name, value in properties.items():
            setattr(landmark, name, value)
    if landmarks and (scene.vr_landmarks_active, scene.vr_landmarks_selected) != selected:  # each moves the walker
        scene.vr_landmarks_selected, scene.vr_landmarks_active = selected[1], selected[0]


def _copy(value: Any) -> Any:
    """Returns a value that doesn't depend on its owner: arrays of Blender as tuples."""
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value
