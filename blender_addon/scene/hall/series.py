"""A series in a hall: its panels, boards and words show one of the series' recordings at a time.

Everything changes in place, as with any other input: no data-block comes or goes.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from ....torch_bridge.recording import ACTIVATIONS, Maps, Progress, Recording, Series, load, load_series
from ....torch_bridge.recording.errors import InputError, SceneError
from ....torch_bridge.recording.series_peaks import scale_alike
from ....torch_bridge.recording.writing import SERIES_DOCUMENT
from ...properties import (
    DISSECTION_METHODS,
    INPUT_TAG,
    METHOD_TAG,
    SERIES_FOLDER,
    SERIES_POSITION,
    SERIES_SHOWN,
    SHOWN_METHOD,
    WHOLE_ANSWER,
)
from ..dressing.title_caption import keep_entry_label
from ..panels import image_of, panels, show_maps
from ..panels.concepts import forget_concepts, keep_concepts
from ..panels.point_values import has_own_nodes
from ..state.keyframes import LAST_FRAME, find_curve, remove_keys, set_keys
from ..state.parts import hall_collection
from . import store
from .build import create_hall
from .input_updates import show_recording
from .map_updates import update_after_maps
from .store import Appearance
from .stored_paths import absolute_path

TRAINING_AXES = ("epoch", "step", "checkpoint")
"""Axes along which the weights change, and with them what channels detect."""


def create_folder_hall(
    folder: Path | str, appearance: Appearance | None = None, *, progress: Progress | None = None
) -> bpy.types.Scene:
    """Creates the hall of the recording in a folder, or of the series, which is then open; returns its scene.

    Raises RecordingError, SceneError or UnknownName; then nothing of the hall is left in the file.
    """
    if not os.path.exists(Path(folder) / SERIES_DOCUMENT):
        return create_hall(load(folder), appearance, progress=progress)
    scene = create_hall(load_series(folder).load(0), appearance, progress=progress)
    open_series(scene, folder)
    return scene


def open_series(scene: bpy.types.Scene, folder: Path | str) -> Series:
    """Opens a series for a hall, which shows its first entry; keys of the position of another series are removed.

    Raises RecordingError, or SceneError for a series of another network; then the hall stays as it was.
    """
    path = absolute_path(str(folder))
    series = _current(path)
    recording = series.load(0)
    method, all_maps = _fitting_maps(scene, series, recording)
    remove_keys(scene, SERIES_POSITION)
    scene[SERIES_FOLDER], scene[SERIES_POSITION] = path, 0
    holder: Any = scene  # whose method Blender's stubs say to return nothing
    holder.id_properties_ui(SERIES_POSITION).update(min=0, max=len(series) - 1, description="Entry of the series")
    scene.render.use_lock_interface = True  # the series changes the hall while an animation is rendered
    _show(scene, recording, method, all_maps, 0)
    return series


def close_series(scene: bpy.types.Scene) -> None:
    """Closes a hall's series, with the keys of its position; the hall keeps what it shows."""
    remove_keys(scene, SERIES_POSITION)
    for key in (SERIES_FOLDER, SERIES_POSITION):
        scene.pop(key, None)
    forget_position(scene)


def series_of(scene: bpy.types.Scene) -> Series:
    """Returns the series of a hall. Raises SceneError if it has none, or RecordingError if it can't be read."""
    return _current(stored_folder(scene))


def _current(folder: str) -> Series:
    """Opens a series, once while its index stays as it is, so that its peaks are read once. Raises RecordingError."""
    stamp = (0, 0)
    with suppress(OSError, ValueError):  # `load_series` says what is wrong
        found = os.stat(Path(folder) / SERIES_DOCUMENT)
        stamp = (found.st_mtime_ns, found.st_ino)
    return _loaded(folder, stamp)


def stored_folder(scene: bpy.types.Scene) -> str:
    """Returns the folder of a hall's series. Raises SceneError if it has none."""
    if SERIES_FOLDER not in scene:
        raise SceneError(f"hall {scene.name} has no series; open one")
    return absolute_path(str(scene[SERIES_FOLDER]))


@lru_cache(maxsize=4)
def _loaded(folder: str, stamp: tuple[int, int]) -> Series:
    """Opens a series; stamp: time and number of its index, which change when it is written again."""
    return load_series(folder)


def show_position(scene: bpy.types.Scene, position: int) -> None:
    """Shows an entry of a hall's series, counted from 0: maps, inputs, answers and words. Does nothing if it is shown.

    Panels show the method that they show now if the series has it, else activations or what it has. Raises SceneError
    or RecordingError; then the hall stays as it was.
    """
    if SERIES_FOLDER in scene and _is_shown(scene, position):
        return
    series = series_of(scene)
    recording = series.load(position)
    method, all_maps = _fitting_maps(scene, series, recording)
    _show(scene, recording, method, all_maps, position)


def _is_shown(scene: bpy.types.Scene, position: int) -> bool:
    """Returns whether panels and boards of a hall show a position; copies of its scene may share objects or images."""
    collection = hall_collection(scene)
    images = {image_of(panel) for panel in panels(scene).values()} - {None}
    return collection.get(SERIES_SHOWN) == position and all(
        image.get(SERIES_SHOWN) == collection.session_uid for image in images
    )


def forget_position(scene: bpy.types.Scene) -> None:
    """Notes that a hall's panels show something else than an entry of its series."""
    hall_collection(scene).pop(SERIES_SHOWN, None)


def key_series(scene: bpy.types.Scene, first: int = 1, step: int = 1) -> range:
    """Keys all entries of a hall's series on the timeline, each for `step` frames of the scene from `first` on.

    Earlier keys of the position are removed, and the scene's range, frame_start to frame_end, becomes the frames that
    are keyed; they are returned. Raises InputError for a first frame below 0 or a step below 1, SceneError for no
    series, or RecordingError.
    """
    if first < 0 or step < 1:
        raise InputError(f"first {first}, step {step}: a first frame from 0 on and a step from 1 on are needed")
    series = series_of(scene)
    frames = range(first, first + len(series) * step)
    if frames[-1] > LAST_FRAME:
        raise InputError(f"{len(series)} entries from {first} on end after Blender's last frame, {LAST_FRAME}")
    set_keys(scene, SERIES_POSITION, range(first, frames.stop, step), range(len(series)))
    scene.frame_start, scene.frame_end = first, frames[-1]
    show_position(scene, position_at(scene, scene.frame_current_final))
    return frames


def frame_of(scene: bpy.types.Scene, position: int) -> float | None:
    """Returns the first frame of the scene from which a position is keyed; None where it isn't keyed."""
    curve = find_curve(scene, SERIES_POSITION)
    points = () if curve is None else curve.keyframe_points
    return next((point.co[0] for point in points if round(point.co[1]) == position), None)


def position_at(scene: bpy.types.Scene, frame: float) -> int:
    """Returns the position of a hall's series that is keyed at a frame, else the one that the scene's property names.

    Positions before the first entry or after the last one are those. Raises SceneError or RecordingError.
    """
    curve = find_curve(scene, SERIES_POSITION)
    value = scene.get(SERIES_POSITION, 0) if curve is None else curve.evaluate(frame)
    is_number = isinstance(value, (int, float)) and not math.isnan(value)
    return round(min(max(value, 0), len(series_of(scene)) - 1)) if is_number else 0


def _fitting_maps(scene: bpy.types.Scene, series: Series, recording: Recording) -> tuple[str, dict[str, Maps]]:
    """Returns the method to show, and a recording's maps by layer, with the peaks of the series.

    Raises SceneError for another network's, or RecordingError.
    """
    recorded = dict.fromkeys(name for _, name in recording.all_maps)
    shown = str(scene.get(SHOWN_METHOD) or store.read_appearance(scene).method)
    method = next((name for name in (shown, ACTIVATIONS, *recorded) if name in recorded), "")
    shown_panels = store.panels_by_layer(scene)
    recorded_maps = {layer: recording.all_maps.get((layer, method)) for layer in shown_panels}
    all_maps = {layer: maps for layer, maps in recorded_maps.items() if maps is not None}
    for layer, panel in shown_panels.items():
        maps, count = all_maps.get(layer), len(panel.data.vertices)
        if maps is None or (maps.channels != count and not maps.channel_numbers and method == ACTIVATIONS):
            held = "nothing" if maps is None else f"{maps.channels} channels, not {count},"
            raise SceneError(f"{series.folder}: it has {held} of layer {layer!r}, which hall {scene.name} shows")
        if max(maps.numbers, default=0) >= count:
            raise SceneError(
                f"{series.folder}: it has channel {max(maps.numbers)} of layer {layer!r}, which has {count}"
            )
    where = str(series.folder)
    return method, {layer: scale_alike(maps, series.peaks, where) for layer, maps in all_maps.items()}


def _show(scene: bpy.types.Scene, recording: Recording, method: str, all_maps: dict[str, Maps], position: int) -> None:
    """Shows an entry of a series that fits the hall, in place of what the hall has requested."""
    appearance = store.read_appearance(scene)
    if appearance.method != method:
        store.write_appearance(scene, replace(appearance, method=method))
    scene[SHOWN_METHOD] = method
    forget_position(scene)
    collection, series = hall_collection(scene), series_of(scene)
    is_training = series.axis in TRAINING_AXES
    for layer, panel in store.panels_by_layer(scene).items():
        if is_training:
            forget_concepts(panel)
        show_maps(panel, all_maps[layer])
        for how in DISSECTION_METHODS:
            if (dissected := recording.all_maps.get((layer, how))) is not None:
                keep_concepts(panel, dissected)
        image_of(panel)[SERIES_SHOWN] = collection.session_uid
    show_recording(scene, recording)
    if is_training:
        keep_entry_label(scene, series.labels[position])
    update_after_maps(scene, points=has_own_nodes())
    for key in (INPUT_TAG, METHOD_TAG, WHOLE_ANSWER):
        scene.pop(key, None)
    collection[SERIES_SHOWN] = position
    if find_curve(scene, SERIES_POSITION) is None:
        scene[SERIES_POSITION] = position
