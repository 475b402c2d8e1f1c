"""What a walk changes of a person's settings: the session's start, Blender's landmarks; and how they are put back."""

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
"""How a session of a walk is; those that this Blender doesn't know are left out."""
LANDMARK = ("name", "type", "base_pose_object", "base_pose_location", "base_pose_angle", "base_scale")


class Kept:
    """A person's settings while a walk has its own."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self.scene = scene.name
        self.enabled = False
        self.settings: dict[str, Any] = {}
        self.landmarks: list[dict[str, Any]] | None = None
        self.active = (0, 0)

    def enter(self, places: Sequence[Landmark]) -> None:
        """Those of a walk; Blender's own landmarks are the places of the tour."""
        self.enabled = xr.inspection(True)
        found, first = xr.settings(), places[0]
        wanted = SETTINGS | {"base_pose_location": (*first.place, 0.0), "base_pose_angle": first.yaw}
        for name, value in wanted.items():
            if hasattr(found, name):
                self.settings[name] = _plain(getattr(found, name))
                setattr(found, name, value)
        scene = bpy.data.scenes[self.scene]
        if hasattr(scene, "vr_landmarks"):
            self.landmarks = [{key: _plain(getattr(one, key)) for key in LANDMARK} for one in scene.vr_landmarks]
            self.active = scene.vr_landmarks_active, scene.vr_landmarks_selected
            _fill(scene, [_landmark(one) for one in places], (0, 0))

    def leave(self) -> None:
        """The person's again."""
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self.scene)
        if scene is not None and self.landmarks is not None and hasattr(scene, "vr_landmarks"):
            _fill(scene, self.landmarks, self.active)
        for name, value in self.settings.items():
            setattr(xr.settings(), name, value)
        if self.enabled:
            xr.inspection(False)


def _landmark(place: Landmark) -> dict[str, Any]:
    where = {"base_pose_location": (*place.place, 0.0), "base_pose_angle": place.yaw}
    return {"name": place.name, "type": "CUSTOM", "base_scale": 1.0, **where}


def _fill(scene: Any, made: Sequence[dict[str, Any]], active: tuple[int, int]) -> None:
    scene.vr_landmarks.clear()
    for told in made:
        one = scene.vr_landmarks.add()
        for key, value in told.items():
            setattr(one, key, value)
    if made:
        scene.vr_landmarks_selected, scene.vr_landmarks_active = active[1], active[0]


def _plain(value: Any) -> Any:
    """A value that outlives what it was read from."""
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value
