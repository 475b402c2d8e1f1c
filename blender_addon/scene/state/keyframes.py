"""Keyframes of a scene's own properties, in its action beside whatever else is animated there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

LAST_FRAME = 1_048_574
"""Blender's last frame."""
CONSTANT = 0
"""Blender's number of the interpolation that holds a key's value until the next key."""


def find_curve(scene: bpy.types.Scene, key: str) -> bpy.types.FCurve | None:
    """Returns the curve that animates a property of the scene, or None; `key` is the property's name."""
    curves = _curves(scene)
    found: bpy.types.FCurve | None = None if curves is None else curves.find(_path(key))
    return found


def remove_keys(scene: bpy.types.Scene, key: str) -> None:
    """Removes all keyframes of a property of the scene."""
    curves, curve = _curves(scene), find_curve(scene, key)
    if curves is not None and curve is not None:
        curves.remove(curve)


def set_keys(scene: bpy.types.Scene, key: str, frames: Sequence[int], values: Sequence[int]) -> None:
    """Keys a property of the scene, a value at each of the frames, held until the next; no other key stays."""
    remove_keys(scene, key)
    scene[key] = values[0]
    scene.keyframe_insert(_path(key), frame=frames[0])
    curve = find_curve(scene, key)
    assert curve is not None
    points, count = curve.keyframe_points, len(values)
    points.add(count - len(points))
    places = np.stack([frames, values], 1)
    points.foreach_set("co", places.astype(np.float32).ravel())
    points.foreach_set("interpolation", np.full(count, CONSTANT, np.intc))
    curve.update()


def hold_value(scene: bpy.types.Scene, key: str, value: float, frames: range) -> None:
    """Keys a property of the scene to hold one value over frames; keys that it has at others stay."""
    if find_curve(scene, key) is None:
        scene[key] = value
        scene.keyframe_insert(_path(key), frame=frames.start)
    curve = find_curve(scene, key)
    assert curve is not None
    points = curve.keyframe_points
    for k in reversed(range(len(points))):
        if frames.start <= round(points[k].co[0]) < frames.stop:
            points.remove(points[k])
    points.insert(frames.start, value).interpolation = "CONSTANT"
    curve.update()


def _path(key: str) -> str:
    return f'["{key}"]'


def _curves(scene: bpy.types.Scene) -> Any:
    """Returns the curves of the scene's own slot of its action; None if there are none."""
    data = scene.animation_data
    if data is None or data.action is None or data.action_slot is None or not data.action.layers:
        return None
    strips = data.action.layers[0].strips
    bag = strips[0].channelbag(data.action_slot) if strips else None
    return None if bag is None else bag.fcurves
