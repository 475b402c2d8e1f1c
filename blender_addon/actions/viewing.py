"""What of a hall is seen, from where, and in which colours."""

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
from ..scene.hall.refit import refit, retitle, site_of
from ..scene.materials import look
from ..scene.panels import panel_of, world_of
from ..scene.view import viewport
from .selecting import select


def jump(scene: bpy.types.Scene, layer: str) -> str:
    """Look at a layer from its reading point: the 3D view moves there, in the background the camera.

    Raises UnknownName.
    """
    panel = panel_of(scene, layer)
    plan = site_of(scene, store.dress_of(scene))
    slot = next(one for one in plan.hall.panels if plan.layers[one.index].id == layer)
    by = world_of(panel) @ Matrix(np.reshape(panel[PANEL_PLANNED_PLACE], (4, 4)).tolist()).inverted()

    def planned(width: int, height: int) -> View:
        return viewport.carried(camera_presets.layer(plan.hall, slot, width, height), by)

    moved = viewport.look(scene, planned)
    return f"{select(scene, layer)}: the {moved} is at its reading point"


def enter(scene: bpy.types.Scene) -> str:
    """Look into the hall from its entrance, over the shelf's desk: the 3D view moves there and shows colours.

    In the background the camera moves.
    """
    plan = site_of(scene, store.dress_of(scene)).hall
    viewport.show_colours(scene)
    moved = viewport.look(scene, lambda width, height: camera_presets.entrance(plan, width, height, desk=True))
    return f"the {moved} is at the entrance"


def hide(scene: bpy.types.Scene, layer: str, hidden: bool = True) -> str:
    """Hide a panel in the viewport and in pictures, or show it again. Raises UnknownName."""
    panel_of(scene, layer)[PANEL_HIDDEN] = hidden
    visibility.settle(scene)
    return f"{layer} is {'hidden' if hidden else 'shown'}"


def solo(scene: bpy.types.Scene, layer: str = "") -> str:
    """Show one panel alone; "" shows all again that are not hidden. Raises UnknownName."""
    if layer:
        panel_of(scene, layer)
    scene[SOLO_LAYER] = layer
    visibility.settle(scene)
    return f"{layer} alone is shown" if layer else "all panels are shown"


def show_look(
    scene: bpy.types.Scene,
    ramp: str | None = None,
    normalisation: str | None = None,
    gain: float | None = None,
    theme: str | None = None,
) -> str:
    """Change what is given of the colours; a theme brings its own colour map. Raises UnknownName or SceneError."""
    now = store.dress_of(scene)
    given: dict[str, Any] = {"ramp": ramp, "normalisation": normalisation, "gain": gain}
    dress = replace(now, **{name: value for name, value in given.items() if value is not None})
    if theme is not None and theme != now.theme:
        dress = replace(dress, theme=theme, ramp=ramp)
    look.set_look(scene, ramp=dress.map, normalisation=dress.normalisation, gain=dress.gain, theme=dress.theme)
    if dress.theme != now.theme:
        refit(scene, dress)
    else:
        retitle(scene)
    return f"{dress.map}, peak of the {dress.normalisation}, gain {dress.gain:g}, {dress.theme}"
