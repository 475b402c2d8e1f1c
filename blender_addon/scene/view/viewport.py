"""Moves the 3D view that shows a hall, or the hall's camera if no window shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...layout.view import View
from ..state.parts import hall_collection
from .camera import set_camera
from .render import set_engine

VIEW_LENS_FACTOR = 2.0
"""Factor between the lens of a 3D view and that of a camera with the same angle of view."""


def set_view(scene: bpy.types.Scene, make_view: Callable[[int, int], View]) -> str:
    """Moves the 3D view, or else the camera, and returns which: "view" or "camera".

    make_view: returns the view for a picture of a width and height in pixels.
    """
    area = find_view_area(scene)
    if area is None:
        set_camera(scene, make_view(scene.render.resolution_x, scene.render.resolution_y), hall_collection(scene))
        return "camera"
    region = next(region for region in area.regions if region.type == "WINDOW")
    width, height = max(region.width, 1), max(region.height, 1)
    space: Any = area.spaces.active
    _move_view(space, make_view(width, height), width / max(width, height))
    area.tag_redraw()
    return "view"


def show_panel_colours(scene: bpy.types.Scene, shading: bpy.types.View3DShading) -> None:
    """Switches a 3D view from solid shading, which shows no colours of panels, to the hall's own render engine.

    Material Preview, which a person may choose, shows the hall's own sky.
    """
    shading.use_scene_world = True
    if shading.type == "SOLID":
        set_engine(scene, "innerwalk")
        shading.type = "RENDERED"


def find_view_area(scene: bpy.types.Scene) -> bpy.types.Area | None:
    """Returns the largest 3D view of the window if that shows the scene; None in background mode."""
    window = bpy.context.window
    if bpy.app.background or window is None or window.scene != scene:
        return None
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    return max(areas, key=lambda area: area.width * area.height, default=None)


def transform_view(view: View, transform: Matrix) -> View:
    """Transforms a view's position and target; the view stays level."""
    position, target = (transform @ Vector(point) for point in (view.position, view.target))
    return View(
        (position.x, position.y, position.z),
        (target.x, target.y, target.z),
        view.width,
        view.height,
        view.lens,
        view.span,
    )


def _move_view(space: bpy.types.SpaceView3D, view: View, width_share: float) -> None:
    """Moves a 3D view.

    width_share: the region's width divided by its longer side, to which the lens of a 3D view refers.
    """
    region = space.region_3d
    region.view_perspective = "PERSP"
    region.view_rotation = Matrix(view.axes.T.tolist()).to_quaternion()
    region.view_location = view.target
    region.view_distance = float(np.linalg.norm(np.subtract(view.position, view.target)))
    space.lens = min(max(VIEW_LENS_FACTOR * view.lens * width_share, 1.0), 250.0)
