"""Where a person looks from: the 3D view of the window that shows the hall, else the hall's camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...layout.view import View
from ..state.parts import hall_collection
from .camera import set_camera

VIEWPORT = 2.0
"""A 3D view sees twice as much as a camera of the same lens."""


def set_view(scene: bpy.types.Scene, planned: Callable[[int, int], View]) -> str:
    """Stand where `planned` says for a picture of (width, height) pixels; returns what has moved, in words."""
    area = find_view_area(scene)
    if area is None:
        set_camera(scene, planned(scene.render.resolution_x, scene.render.resolution_y), hall_collection(scene))
        return "camera"
    region = next(one for one in area.regions if one.type == "WINDOW")
    width, height = max(region.width, 1), max(region.height, 1)
    space: Any = area.spaces.active
    _stand(space, planned(width, height), width / max(width, height))
    area.tag_redraw()
    return "view"


def show_panel_colours(scene: bpy.types.Scene) -> None:
    """The 3D view shows what the panels show, where it was solid and so without colours."""
    area = find_view_area(scene)
    if area is not None and area.spaces.active.shading.type == "SOLID":
        area.spaces.active.shading.type = "MATERIAL"


def find_view_area(scene: bpy.types.Scene) -> bpy.types.Area | None:
    """The largest 3D view of the window, if it shows this scene; None in the background."""
    window = bpy.context.window
    if bpy.app.background or window is None or window.scene != scene:
        return None
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    return max(areas, key=lambda area: area.width * area.height, default=None)


def transform_view(view: View, by: Matrix) -> View:
    """The same view of something that was moved, turned and scaled; it stays level."""
    at, aim = (by @ Vector(point) for point in (view.position, view.target))
    return View((at.x, at.y, at.z), (aim.x, aim.y, aim.z), view.width, view.height, view.lens, view.span)


def _stand(space: bpy.types.SpaceView3D, view: View, wide: float) -> None:
    """wide: the region's width as a share of its longer side, which a lens of a 3D view is meant for."""
    region = space.region_3d
    region.view_perspective = "PERSP"
    region.view_rotation = Matrix(view.axes.T.tolist()).to_quaternion()
    region.view_location, region.view_distance = (
        view.target,
        float(np.linalg.norm(np.subtract(view.position, view.target))),
    )
    space.lens = min(max(VIEWPORT * view.lens * wide, 1.0), 250.0)
