"""The light of a pass through the network on a hall's panels, as one number that a person can key on the timeline."""

from __future__ import annotations

import bpy
import numpy as np

from ...films.lighting import pass_lighting
from ...properties import LIGHT_FRONT, PANEL_PLANNED_PLACE
from ..materials.object_colours import dim_panels
from ..panels import panels, size_of
from ..state.keyframes import find_curve
from . import store
from .session_events import subscribe


def light_front_at(scene: bpy.types.Scene, frame: float) -> float | None:
    """Returns how far the light has come along the aisle at a frame, y in metres; None where all panels are lit."""
    curve = find_curve(scene, LIGHT_FRONT)
    value = scene.get(LIGHT_FRONT) if curve is None else curve.evaluate(frame)
    return float(value) if isinstance(value, (int, float)) and np.isfinite(value) else None


def show_keyed_light(scene: bpy.types.Scene) -> None:
    """Shows the light that is keyed at the scene's current frame, in all halls that the scene shows."""
    for hall in store.shown_halls(scene, LIGHT_FRONT):
        front = light_front_at(hall, scene.frame_current_final)
        lighting = None if front is None else pass_lighting(_posts(hall), np.array([front]))
        dim_panels(hall, {} if lighting is None else lighting.at(0))


def _posts(scene: bpy.types.Scene) -> dict[str, float]:
    """Returns the y of the posts of all panels, where they were planned, by layer. The post is a panel's far end."""
    found = {}
    for layer, panel in panels(scene).items():
        if PANEL_PLANNED_PLACE in panel:
            place = np.reshape(panel[PANEL_PLANNED_PLACE], (4, 4))
            found[layer] = max(float(place[1, 3]), float(place[1, 3] + place[1, 0] * size_of(panel)[0]))
    return found


subscribe("frame_change_post", show_keyed_light)
