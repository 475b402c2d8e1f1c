"""The hall's camera."""

from __future__ import annotations

import bpy
from mathutils import Matrix

from ...layout.view import SENSOR, View
from ...properties import OBJECT_ROLE

CLIP = (0.05, 4000.0)
"""Clipping distances in metres: for reading a tile, and for halls of 400 m and orthographic cameras."""


def set_camera(scene: bpy.types.Scene, view: View, collection: bpy.types.Collection) -> bpy.types.Object:
    """Points the hall's camera at a view and returns it; creates it if the collection has none.

    It becomes the scene's camera, unless a person has chosen another.
    """
    existing = next((holder for holder in collection.objects if holder.get(OBJECT_ROLE) == "camera"), None)
    holder = existing or bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    if existing is None:
        holder[OBJECT_ROLE] = "camera"
        collection.objects.link(holder)
    point_camera(holder, view)
    if scene.camera is None or scene.camera.get(OBJECT_ROLE) == "camera":
        scene.camera = holder
    return holder


def look_from(scene: bpy.types.Scene, view: View) -> None:
    """Gives a scene a further camera, and makes it the scene's."""
    holder = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(holder)
    point_camera(holder, view)
    scene.camera = holder


def point_camera(holder: bpy.types.Object, view: View) -> None:
    """Points a camera at a view."""
    lens: bpy.types.Camera = holder.data
    lens.type = "ORTHO" if view.span else "PERSP"
    lens.sensor_fit, lens.sensor_width, lens.lens = "HORIZONTAL", SENSOR, view.lens
    lens.clip_start, lens.clip_end = CLIP
    lens.display_size = 0.02  # else it would fill the view from the entrance
    if view.span:
        lens.ortho_scale = view.span
    holder.matrix_world = Matrix(view.matrix().tolist())
