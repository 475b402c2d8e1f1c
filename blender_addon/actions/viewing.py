"""Which panels of a hall are shown, from where, and in which colours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...torch_bridge.recording.errors import InputError, SceneError, UnknownName
from ..films import WALKING, Film, FilmHall, ShotOptions, plan_film
from ..layout import camera_presets
from ..layout.view import View
from ..output.film_halls import film_hall_of
from ..output.shot_keys import key_camera, key_shots
from ..properties import PANEL_HIDDEN, PANEL_PLANNED_PLACE, SOLO_LAYER
from ..scene.hall import store, visibility
from ..scene.hall.relayout import prepare_build, refit_hall, update_title
from ..scene.hall.series import series_of
from ..scene.materials import colour_settings
from ..scene.panels import panel_of, world_matrix
from ..scene.view import viewport
from .selecting import select

KEYED_SHOTS = ("tour", "forward", "orbit", "dolly", "follow", "series", "split")
"""Kinds of shots that can be keyed."""


def jump(scene: bpy.types.Scene, layer: str) -> str:
    """Selects a layer and moves the 3D view to the place from which its panel is read; in the background, the camera.

    Returns a line that says so. Raises UnknownName.
    """
    return f"moved the {view_panel(scene, layer)} to {select(scene, layer)}"


def view_panel(scene: bpy.types.Scene, layer: str) -> str:
    """Moves the 3D view, or the camera, as `jump` does, and returns what was moved; the selection stays."""
    panel = panel_of(scene, layer)
    plan = prepare_build(scene, store.read_appearance(scene))
    slot = next(slot for slot in plan.hall.panels if plan.layers[slot.index].id == layer)
    moved_by = world_matrix(panel) @ Matrix(np.reshape(panel[PANEL_PLANNED_PLACE], (4, 4)).tolist()).inverted()

    def view_of(width: int, height: int) -> View:
        return viewport.transform_view(camera_presets.layer(plan.hall, slot, width, height), moved_by)

    return viewport.set_view(scene, view_of)


def enter(scene: bpy.types.Scene) -> str:
    """Moves the 3D view to the hall's entrance and lets it show the colours of panels; in the background, the camera.

    Returns a line that says so.
    """
    plan = prepare_build(scene, store.read_appearance(scene)).hall
    if (area := viewport.find_view_area(scene)) is not None:
        space: Any = area.spaces.active
        viewport.show_panel_colours(scene, space.shading)
    viewer = viewport.set_view(scene, lambda width, height: camera_presets.entrance(plan, width, height, desk=True))
    return f"the {viewer} is at the entrance"


def hide(scene: bpy.types.Scene, layer: str, hidden: bool = True) -> str:
    """Hides a layer's panel in views and renders, or shows it. Returns a line that says so. Raises UnknownName."""
    panel_of(scene, layer)[PANEL_HIDDEN] = hidden
    visibility.apply_visibility(scene)
    return f"{layer} is {'hidden' if hidden else 'shown'}"


def solo(scene: bpy.types.Scene, layer: str = "") -> str:
    """Hides all panels but one; layer "" shows all again, except those hidden by `hide`.

    Returns a line that says so. Raises UnknownName.
    """
    if layer:
        panel_of(scene, layer)
    scene[SOLO_LAYER] = layer
    visibility.apply_visibility(scene)
    return f"{layer} alone is shown" if layer else "all panels are shown"


def key_shot(
    scene: bpy.types.Scene,
    kind: str = "tour",
    layer: str = "",
    channel: int = -1,
    seconds: float = 0.0,
    speed: float = WALKING,
    first: int = 1,
    beside: str = "",
) -> str:
    """Keys what a shot shows: its keyframes can be edited, and a recipe's shot of kind camera renders them.

    kind: tour, forward, orbit, dolly, follow, series or split. All key the hall's camera; forward keys the light of the
    pass too, series the entries of the hall's series, and split the camera of a second hall. layer: what orbit, dolly,
    follow and series are about; "" for the hall or the answer. channel: that they go into, -1 for a strong one.
    seconds: 0 for what the way takes. speed: at most, metres a second. first: the scene's frame at which the shot
    begins; the scene then ends with it. beside: of split, the name of the other hall; "" for the only other one.
    Returns a line that says what is keyed. Raises InputError, UnknownName or SceneError.
    """
    if kind not in KEYED_SHOTS:
        raise UnknownName("kind of shot", kind, KEYED_SHOTS)
    plain = Film((), film_size(scene), scene.render.fps / scene.render.fps_base)
    entry = ShotOptions(kind, seconds or None, speed, layer or None, None if channel < 0 else channel)
    others = [_hall_beside(scene, beside)] if kind == "split" else []
    entry = replace(entry, beside=0 if others else None)
    shots = plan_film(_film_hall(scene, kind), [entry], plain, [film_hall_of(other) for other in others]).shots
    frames = key_shots(scene, shots, first, plain.rate, plain.size)
    for other in others:
        key_camera(other, [shot.beside for shot in shots if shot.beside is not None], first, plain.rate, plain.size)
        other.render.fps, other.render.fps_base = scene.render.fps, scene.render.fps_base
    scene.frame_set(first)
    what = f"{scene.camera.name} and that of {others[0].name} are" if others else f"{scene.camera.name} is"
    return f"{kind}: {what} keyed from frame {first} to {frames[-1]}"


def _film_hall(scene: bpy.types.Scene, kind: str) -> FilmHall:
    """Returns the plan of a hall. Raises SceneError for a shot of a series where the hall has none."""
    if kind == "series":
        series_of(scene)
    return film_hall_of(scene)


def _hall_beside(scene: bpy.types.Scene, name: str) -> bpy.types.Scene:
    """Returns the hall of a name, or the only other one. Raises UnknownName or InputError."""
    others = {hall.name: hall for hall in store.halls() if hall != scene}
    if name and name not in others:
        raise UnknownName("second hall", name, others)
    if not name and len(others) != 1:
        names = ", ".join(others) or "there is none; build one"
        raise InputError(f"a split shot needs beside, the name of a second hall in this file: {names}")
    return others[name or next(iter(others))]


def preview_film(scene: bpy.types.Scene) -> str:
    """Plays the keyed camera in the 3D view, from the scene's first frame; returns a line that says so.

    Raises SceneError where no window shows the hall.
    """
    area = viewport.find_view_area(scene)
    if area is None:
        raise SceneError("no 3D view shows the hall; a recipe with a shot of kind camera renders its film")
    viewport.show_panel_colours(scene, area.spaces.active.shading)
    area.spaces.active.region_3d.view_perspective = "CAMERA"
    scene.frame_set(scene.frame_start)
    bpy.ops.screen.animation_play()
    return f"plays frames {scene.frame_start} to {scene.frame_end}; Esc ends it"


def film_size(scene: bpy.types.Scene) -> tuple[int, int]:
    """Returns the width and height of a scene's renders in pixels."""
    render = scene.render
    share = render.resolution_percentage / 100
    return max(2, round(render.resolution_x * share)), max(2, round(render.resolution_y * share))


def show_look(
    scene: bpy.types.Scene,
    colour_map: str | None = None,
    normalisation: str | None = None,
    gain: float | None = None,
    theme: str | None = None,
) -> str:
    """Changes the colours of a hall; what is None stays as it is.

    colour_map: its name. normalisation: which peak values are divided by, the channel's, the layer's or the network's.
    gain: factor before values are coloured. theme: name of the theme; its own colour map is used unless `colour_map` is
    given. Returns a line that says all of them. Raises UnknownName or SceneError.
    """
    now = store.read_appearance(scene)
    changes: dict[str, Any] = {"colour_map": colour_map, "normalisation": normalisation, "gain": gain}
    appearance = replace(now, **{name: value for name, value in changes.items() if value is not None})
    if theme is not None and theme != now.theme:
        appearance = replace(appearance, theme=theme, colour_map=colour_map or "")
    colour_settings.set_scene_colours(
        scene,
        colour_map=appearance.colour_map,
        normalisation=appearance.normalisation,
        gain=appearance.gain,
        theme=appearance.theme,
    )
    if appearance.theme != now.theme:
        refit_hall(scene, appearance)
    else:
        update_title(scene)
    return (
        f"{appearance.colour_map}, peak of the {appearance.normalisation}, gain {appearance.gain:g}, {appearance.theme}"
    )
