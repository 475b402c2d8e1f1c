"""Which panels of a hall are shown, from where, and in which colours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..layout import camera_presets
from ..layout.view import View
from ..properties import PANEL_HIDDEN, PANEL_PLANNED_PLACE, SOLO_LAYER
from ..scene.hall import store, visibility
from ..scene.hall.relayout import prepare_build, refit_hall, update_title
from ..scene.materials import colour_settings
from ..scene.panels import panel_of, world_matrix
from ..scene.view import viewport
from .selecting import select


def jump(scene: bpy.types.Scene, layer: str) -> str:
    """Selects a layer and moves the 3D view to the place from which its panel is read; in the background, the camera.

    Returns a line that says so. Raises UnknownName.
    """
    panel = panel_of(scene, layer)
    plan = prepare_build(scene, store.read_appearance(scene))
    slot = next(slot for slot in plan.hall.panels if plan.layers[slot.index].id == layer)
    moved_by = world_matrix(panel) @ Matrix(np.reshape(panel[PANEL_PLANNED_PLACE], (4, 4)).tolist()).inverted()

    def view_of(width: int, height: int) -> View:
        return viewport.transform_view(camera_presets.layer(plan.hall, slot, width, height), moved_by)

    viewer = viewport.set_view(scene, view_of)
    return f"moved the {viewer} to {select(scene, layer)}"


def enter(scene: bpy.types.Scene) -> str:
    """Moves the 3D view to the hall's entrance and lets it show the colours of panels; in the background, the camera.

    Returns a line that says so.
    """
    plan = prepare_build(scene, store.read_appearance(scene)).hall
    viewport.show_panel_colours(scene)
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
