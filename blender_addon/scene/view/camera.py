"""A view of the layout as a camera of Blender."""

from __future__ import annotations

import bpy
from mathutils import Matrix

from ...layout.view import SENSOR, View
from ...properties import OBJECT_ROLE

CLIP = (0.05, 4000.0)
"""Metres: near enough to read a tile, far enough for halls of 400 m and for orthographic cameras."""


def set_camera(scene: bpy.types.Scene, view: View, collection: bpy.types.Collection) -> bpy.types.Object:
    """The hall's camera with this view; made once a scene."""
    found = next((one for one in collection.objects if one.get(OBJECT_ROLE) == "camera"), None)
    holder = found or bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    if found is None:
        holder[OBJECT_ROLE] = "camera"
        collection.objects.link(holder)
    lens: bpy.types.Camera = holder.data
    lens.type = "ORTHO" if view.span else "PERSP"
    lens.sensor_fit, lens.sensor_width, lens.lens = "HORIZONTAL", SENSOR, view.lens
    lens.clip_start, lens.clip_end = CLIP
    lens.display_size = 0.02  # it stands before who looks into the hall
    if view.span:
        lens.ortho_scale = view.span
    holder.matrix_world = Matrix(view.matrix().tolist())
    scene.camera = holder
    return holder
