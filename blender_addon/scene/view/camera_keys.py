"""Keyframes of a camera's way, few enough for a person to edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
import numpy as np

from ...films.camera_track import CameraTrack

KEYS_A_SECOND = 2.0
"""Keys, between which curves with the way's own slopes lead."""
Curve = tuple[str, int]
"""Path and index of an animated number."""


def key_tracks(holder: bpy.types.Object, tracks: Sequence[CameraTrack], first: int, rate: float) -> range:
    """Keys a camera's place, direction and lens along tracks, one after the other; returns the frames of the scene.

    rate: frames a second. Keys that it has at these frames are replaced. At a cut it jumps.
    """
    holder.rotation_mode = "XYZ"
    start = first
    for track in tracks:
        frames = _key_frames(len(track), rate)
        turns = np.column_stack([np.pi / 2 + track.angles[:, 1], np.zeros(len(track)), track.angles[:, 0]])
        places = {("location", k): column for k, column in enumerate(track.positions.T)}
        _key(holder, places | {("rotation_euler", k): column for k, column in enumerate(turns.T)}, frames, start)
        _key(holder.data, {("lens", 0): track.lenses}, frames, start)
        start += len(track)
    return range(first, start)


def key_number(block: bpy.types.ID, path: str, values: np.ndarray, first: int, rate: float) -> None:
    """Keys a number of a data-block at n frames from `first` on; values: (n,) float. rate: frames a second."""
    _key(block, {(path, 0): values}, _key_frames(len(values), rate), first)


def _key_frames(count: int, rate: float) -> np.ndarray:
    """Returns at which of `count` frames there are keys."""
    steps = max(2, round(count / rate * KEYS_A_SECOND) + 1)
    return np.unique(np.linspace(0, count - 1, steps).round().astype(int))


def _key(block: bpy.types.ID, columns: Mapping[Curve, np.ndarray], frames: np.ndarray, start: int) -> None:
    """Keys numbers (n,), n frames from `start` on, at some of these frames; the last keys hold until the next."""
    count = len(next(iter(columns.values())))
    for path in dict.fromkeys(path for path, _ in columns):
        block.keyframe_insert(path, frame=start)
    for curve in _curves(block):
        column = columns.get((curve.data_path, curve.array_index))
        if column is None:
            continue
        for k in reversed(range(len(curve.keyframe_points))):
            if start <= round(curve.keyframe_points[k].co[0]) < start + count:
                curve.keyframe_points.remove(curve.keyframe_points[k])
        for frame in frames.tolist():
            curve.keyframe_points.insert(start + frame, float(column[frame]))
        _shape(curve, column, frames, start)


def _shape(curve: bpy.types.FCurve, column: np.ndarray, frames: np.ndarray, start: int) -> None:
    """Gives keys the slopes of the column (n,); only now, because a key that is inserted changes its neighbours."""
    slopes, gaps = np.gradient(column), np.diff(frames, append=frames[-1] + 1) / 3
    places = {start + frame: k for k, frame in enumerate(frames.tolist())}
    for point in curve.keyframe_points:
        k = places.get(round(point.co[0]))
        if k is None:
            continue
        point.handle_left_type = point.handle_right_type = "FREE"
        point.interpolation = "BEZIER" if k < len(frames) - 1 else "CONSTANT"
        x, y = point.co[0], point.co[1]
        before, after, slope = float(gaps[max(k - 1, 0)]), float(gaps[k]), float(slopes[frames[k]])
        point.handle_left, point.handle_right = (x - before, y - slope * before), (x + after, y + slope * after)
    curve.update()


def _curves(block: bpy.types.ID) -> list[bpy.types.FCurve]:
    """Returns the curves that animate a data-block."""
    data = block.animation_data
    if data is None or data.action is None or data.action_slot is None or not data.action.layers:
        return []
    strips = data.action.layers[0].strips
    bag = strips[0].channelbag(data.action_slot) if strips else None
    return list(bag.fcurves) if bag is not None else []
