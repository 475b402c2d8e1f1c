"""The halls that films are shot in, as scenes and as plans."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np

from ...torch_bridge.recording import Series
from ...torch_bridge.recording.errors import SceneError
from ..films.camera_track import MOST_FRAMES, CameraTrack
from ..films.film_hall import FilmHall
from ..layout.blocks import shown_graph
from ..properties import LIGHT_FRONT, SERIES_FOLDER
from ..scene.hall import assembly, store
from ..scene.hall.build import create_hall
from ..scene.hall.keyed_light import light_front_at
from ..scene.hall.relayout import prepare_build
from ..scene.hall.series import open_series, position_at, series_of
from .figure_options import Source


def build_film_hall(source: Source, series: Series | None = None) -> tuple[bpy.types.Scene, FilmHall]:
    """Builds the hall of a recording in a new scene, and opens a series for it; returns it with its plan.

    Raises SceneError, RecordingError or UnknownName.
    """
    scene = create_hall(source.recording, source.appearance, moves=source.moved)
    hall = _film_hall(assembly.lay_out_hall(scene, source.recording, source.appearance))
    if series is None:
        return scene, hall
    return scene, replace(hall, positions=len(open_series(scene, series.folder)))


def film_hall_of(scene: bpy.types.Scene) -> FilmHall:
    """Returns the plan of a hall of the open file, with its maps and series, and the keyed way of its camera.

    Raises SceneError or RecordingError.
    """
    context = prepare_build(scene, store.read_appearance(scene))
    context.recording = store.read_recording(scene)
    hall = replace(_film_hall(context), own_camera=keyed_track(scene))
    frames = range(scene.frame_start, scene.frame_end + 1)
    if LIGHT_FRONT in scene and hall.own_camera is not None:
        fronts = [light_front_at(scene, frame) for frame in frames]
        hall = replace(hall, own_fronts=tuple(front for front in fronts if front is not None))
    if SERIES_FOLDER not in scene:
        return hall
    positions = tuple(position_at(scene, frame) for frame in frames)
    return replace(hall, positions=len(series_of(scene)), own_positions=positions)


def keyed_track(scene: bpy.types.Scene) -> CameraTrack | None:
    """Returns the scene's camera at each frame from frame_start to frame_end; None where nothing moves it.

    The film's cameras don't roll: of a rolled camera only the direction is kept. Raises SceneError for a scene without
    frames, or with more than MOST_FRAMES.
    """
    holder = scene.camera
    if holder is None or (holder.animation_data is None and holder.parent is None and not holder.constraints):
        return None
    now, rows, frames = scene.frame_current, [], range(scene.frame_start, scene.frame_end + 1)
    if not 0 < len(frames) <= MOST_FRAMES:
        raise SceneError(f"scene {scene.name!r} has {len(frames):,} frames; a film has 1 to {MOST_FRAMES:,}")
    for frame in frames:
        scene.frame_set(frame)
        seen = holder.evaluated_get(scene.view_layers[0].depsgraph)
        matrix = np.array(seen.matrix_world, np.float64)
        ahead = -matrix[:3, 2] / np.linalg.norm(matrix[:3, 2])
        angles = np.arctan2(-ahead[0], ahead[1]), np.arcsin(np.clip(ahead[2], -1, 1))
        rows.append((*matrix[:3, 3], *angles, seen.data.lens))
    scene.frame_set(now)
    values = np.array(rows)
    return CameraTrack(values[:, :3], np.column_stack([np.unwrap(values[:, 3]), values[:, 4]]), values[:, 5])


def _film_hall(context: assembly.BuildContext) -> FilmHall:
    recording, appearance = context.recording, context.appearance
    _, links = shown_graph(recording.network, appearance.collapse)
    return FilmHall(
        context.hall,
        context.layers,
        tuple(links),
        recording,
        appearance.method,
        appearance.colour_map,
        appearance.gain,
    )
