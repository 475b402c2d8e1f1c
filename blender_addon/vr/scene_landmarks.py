"""Landmarks of a scene: those of its hall, and of the halls that stand beside it."""

from __future__ import annotations

import bpy
from mathutils import Matrix, Vector

from ..actions.comparing import halls_beside, short_name
from ..scene.hall.relayout import prepare_build
from ..scene.hall.store import read_appearance
from ..scene.panels import panel_of, size_of, world_matrix
from .landmarks import Landmark, plan_landmarks

READING_DISTANCE, PER_METRE = 1.0, 0.6
"""Metres from a panel to its reader, and more of them for each metre of its larger side."""


def hall_landmarks(scene: bpy.types.Scene) -> list[Landmark]:
    """Returns the landmarks of a scene's hall in the order of the tour, then those of each hall beside it."""
    found = _own_landmarks(scene)
    for hall, instance in halls_beside(scene).items():
        place = world_matrix(instance)
        found += [_moved(landmark, f"{short_name(hall)}: {landmark.name}", place) for landmark in _own_landmarks(hall)]
    return found


def panel_landmark(scene: bpy.types.Scene, layer: str) -> Landmark:
    """Returns the place on the floor in front of a panel, facing its middle. Raises UnknownName."""
    panel = panel_of(scene, layer)
    matrix, (width, height) = world_matrix(panel), size_of(panel)
    middle, normal = matrix @ Vector((width / 2, height / 2, 0.0)), matrix.to_3x3() @ Vector((0.0, 0.0, 1.0))
    normal.z = 0.0
    normal.normalize()
    side = max(width, height) * matrix.median_scale
    position = middle + normal * (READING_DISTANCE + PER_METRE * side)
    yaw = Vector((0.0, 1.0)).angle_signed(-normal.xy, 0.0)
    return Landmark(layer, (position.x, position.y), -yaw)


def _own_landmarks(scene: bpy.types.Scene) -> list[Landmark]:
    return plan_landmarks(prepare_build(scene, read_appearance(scene)).hall)


def _moved(landmark: Landmark, name: str, matrix: Matrix) -> Landmark:
    """Returns a landmark of a hall that an instance shows elsewhere."""
    position = matrix @ Vector((*landmark.position, 0.0))
    return Landmark(name, (position.x, position.y), landmark.yaw + matrix.to_euler().z)
