"""A film's shot as keyframes that a person can edit: of the camera, the light of the pass, the entry of a series."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import bpy
import numpy as np

from ..films import CameraTrack, Shot
from ..properties import LIGHT_FRONT, SERIES_POSITION
from ..scene.hall.keyed_light import show_keyed_light
from ..scene.state.keyframes import find_curve, hold_value
from ..scene.state.parts import hall_collection
from ..scene.view import set_camera
from ..scene.view.camera_keys import key_number, key_tracks
from .film_halls import film_hall_of


def key_shots(scene: bpy.types.Scene, shots: Sequence[Shot], first: int, rate: float, size: tuple[int, int]) -> range:
    """Keys what shots of a hall show, one after the other, from a frame of the scene on; returns their frames.

    rate: frames a second. size: width and height of the picture in pixels. Keys at these frames are replaced.
    """
    frames = key_camera(scene, [shot.track for shot in shots], first, rate, size)
    start = first
    for shot in shots:
        part = range(start, start + len(shot.track))
        _key_light(scene, shot, part, rate)
        if len(shot.positions):
            _key_positions(scene, shot.positions, start)
        start = part.stop
    show_keyed_light(scene)
    return frames


def key_camera(
    scene: bpy.types.Scene, tracks: Sequence[CameraTrack], first: int, rate: float, size: tuple[int, int]
) -> range:
    """Keys the hall's camera along tracks, as `key_shots`; the scene then ends with them."""
    holder = scene.camera or set_camera(scene, tracks[0].view(0, *size), hall_collection(scene))
    scene.camera = holder
    frames = key_tracks(holder, tracks, first, rate)
    scene.frame_start, scene.frame_end = min(scene.frame_start, first), frames[-1]
    return frames


def _key_light(scene: bpy.types.Scene, shot: Shot, frames: range, rate: float) -> None:
    """Keys how far the pass of a forward shot has come; before it, and in other shots, all panels are lit."""
    lit = 1.0 + max((slot.y for slot in film_hall_of(scene).layout.panels), default=0.0) + 10.0
    if shot.kind != "forward" or shot.lighting is None:
        if find_curve(scene, LIGHT_FRONT) is not None:
            hold_value(scene, LIGHT_FRONT, lit, frames)
        return
    if find_curve(scene, LIGHT_FRONT) is None:
        scene[LIGHT_FRONT] = lit
        holder: Any = scene  # whose method Blender's stubs say to return nothing
        holder.id_properties_ui(LIGHT_FRONT).update(description="How far the light of the pass has come, y in metres")
        scene.render.use_lock_interface = True  # panels change while an animation is rendered
        if frames.start > scene.frame_start:
            hold_value(scene, LIGHT_FRONT, lit, range(scene.frame_start, frames.start))
    key_number(scene, f'["{LIGHT_FRONT}"]', np.asarray(shot.lighting.fronts), frames.start, rate)


def _key_positions(scene: bpy.types.Scene, positions: Sequence[int], first: int) -> None:
    """Keys entries of a series, for each of the frames from `first` on."""
    changes = np.flatnonzero(np.diff(positions)) + 1
    starts = [0, *changes.tolist(), len(positions)]
    for start, stop in pairwise(starts):
        hold_value(scene, SERIES_POSITION, positions[start], range(first + start, first + stop))
