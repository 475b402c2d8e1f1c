"""Moves the 3D view that shows a hall, or the hall's camera if no window shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...layout.view import SENSOR, View
from ..state.parts import hall_collection
from .camera import set_camera
from .render import set_engine

OVER = ("UI", "TOOLS", "HEADER", "TOOL_HEADER", "ASSET_SHELF", "ASSET_SHELF_HEADER")
"""Types of the regions that may lie over a 3D view."""
TEXT_LINE = 19
"""Pixels of a line of the overlay's text at scale 1."""
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
    free = free_part(area, region)
    view = view_beside(make_view(free.width, free.height), free, width, height)
    _move_view(space, view, width / max(width, height))
    area.tag_redraw()
    return "view"


class FreePart(NamedTuple):
    """The part of a 3D view that nothing lies over, in pixels from its lower left."""

    left: int
    bottom: int
    width: int
    height: int


def free_part(area: Any, region: Any) -> FreePart:
    """Returns the part of a 3D view that is beside its open sidebars and bars, and below its overlay's text.

    area: the 3D view. region: its window region, which lies below the others where they overlap. A part that would be
    less than a third of the view is not cut off.
    """
    left, bottom, right, top = 0, 0, region.width, region.height
    for other in area.regions:
        if other.type not in OVER or other.width <= 1 or other.height <= 1:
            continue
        low, high = other.x - region.x, other.y - region.y
        if other.alignment == "LEFT":
            left = max(left, low + other.width)
        elif other.alignment == "RIGHT":
            right = min(right, low)
        elif other.alignment == "TOP":
            top = min(top, high)
        elif other.alignment == "BOTTOM":
            bottom = max(bottom, high + other.height)
    top -= _text_height(area.spaces.active.overlay)
    left, right = (left, right) if right - left >= region.width / 3 else (0, region.width)
    bottom, top = (bottom, top) if top - bottom >= region.height / 3 else (0, region.height)
    return FreePart(left, bottom, max(right - left, 1), max(top - bottom, 1))


def _text_height(overlay: Any) -> int:
    """Returns the pixels that the names of view and object take at the top, and the statistics below them."""
    lines = (3 * overlay.show_text + 6 * overlay.show_stats) * overlay.show_overlays
    return round(lines * TEXT_LINE * bpy.context.preferences.system.ui_scale)


def view_beside(view: View, free: FreePart, width: int, height: int) -> View:
    """Returns a camera of a view of width × height pixels that shows in its free part what `view` shows.

    It moves parallel to its picture, so that what faces the camera still does.
    """
    focal = view.lens / SENSOR * free.width
    distance = float(np.linalg.norm(np.subtract(view.position, view.target)))
    across = free.left + free.width / 2 - width / 2, free.bottom + free.height / 2 - height / 2
    right, up = view.axes[:2]
    shift = (right * across[0] + up * across[1]) * distance / focal
    position, target = (tuple(np.subtract(point, shift).tolist()) for point in (view.position, view.target))
    return View(position, target, width, height, view.lens * free.width / width, view.span)


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
