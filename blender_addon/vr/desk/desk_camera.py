"""The walker's eye in a desktop walk: the view of a 3D view in the window."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ...layout.hall_model import EYE_HEIGHT
from ...layout.view import View
from ...scene.view import show_panel_colours
from ...scene.view.region_view import region_view
from .screen_plane import ScreenPlane

HAND_NAME = "eye"
"""Name of the only hand of a desktop walk; it points where the eye looks."""
MAX_PITCH = math.radians(85)
"""How far the eye can look up and down, in radians."""
MIN_HEIGHT = 0.2
"""Lowest height of the eye above the floor, in metres."""
PLANE_DISTANCE = 1.5
"""Distance of the screen plane, as a factor of the view's near clipping distance, so that nothing covers it."""
VIEW_SETTINGS = {
    "lens": 36.0, "lock_cursor": False, "show_gizmo": False, "show_region_ui": False, "show_region_toolbar": False,
    "show_region_header": True,
}  # fmt: skip
"""Settings of the view during a walk: a wide lens (90 degrees), no sidebar, and a header, which shows the keys."""
HIDDEN_OVERLAYS = (
    "show_floor", "show_ortho_grid", "show_axis_x", "show_axis_y", "show_axis_z", "show_cursor", "show_text",
    "show_stats", "show_outline_selected", "show_relationship_lines", "show_object_origins", "show_extras",
    "show_annotation",
)  # fmt: skip
OVERLAY_SETTINGS = {"show_overlays": True} | dict.fromkeys(HIDDEN_OVERLAYS, False)
"""Overlays stay on, as Blender calls no drawing handlers without them."""


class DeskCamera:
    """The walker's body in a desktop walk: the 3D view under the pointer, else the largest one that shows the hall.

    Stored as a pointer address, because the view moves to another area when that is maximised; no reference is kept.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene_name = scene.name
        self._engine = ""
        """The scene's render engine before the walk, if that has changed it, else ""."""
        self._saved: list[tuple[str, str, Any]] = []
        """(part of the view, name, value) of each setting that the walk changes."""
        areas = list(self._areas())
        space = bpy.context.space_data
        if space is None or space not in [area.spaces.active for area in areas]:
            largest = max(areas, key=lambda area: area.width * area.height, default=None)
            space = largest.spaces.active if largest else None
        self.view = space.as_pointer() if space else 0

    def _areas(self) -> Iterator[Any]:
        """Yields the 3D views that show the hall."""
        windows = (window for window in bpy.context.window_manager.windows if window.scene.name == self._scene_name)
        return (area for window in windows for area in window.screen.areas if area.type == "VIEW_3D")

    @property
    def area(self) -> Any:
        """The area that shows the view, None if it was closed."""
        return next((area for area in self._areas() if area.spaces.active.as_pointer() == self.view), None)

    @property
    def region(self) -> Any:
        """The view's `RegionView3D`."""
        return self.area.spaces.active.region_3d

    def enter(self) -> None:
        """Saves the view's settings and sets those of a walk."""
        space = self.area.spaces.active
        scene = bpy.data.scenes[self._scene_name]
        if space.shading.type == "SOLID":
            self._engine = scene.render.engine
            self._saved.append(("shading", "type", "SOLID"))
            show_panel_colours(scene, space.shading)
        for part, settings in (("", VIEW_SETTINGS), ("overlay", OVERLAY_SETTINGS)):
            owner = getattr(space, part) if part else space
            self._saved += [(part, name, getattr(owner, name)) for name in settings]
            for name, value in settings.items():
                setattr(owner, name, value)

    def leave(self) -> None:
        """Restores the view's settings, also if its area shows another editor now; the viewpoint stays."""
        for area in self.restore():
            area.header_text_set(None)
            area.tag_redraw()

    def restore(self) -> list[Any]:
        """Restores the view's settings, as before a file is saved; returns the areas that have the view."""
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self._scene_name)
        if scene is not None and self._engine:
            scene.render.engine = self._engine
        found = []
        for area in [area for screen in bpy.data.screens for area in screen.areas]:
            space = next((space for space in area.spaces if space.as_pointer() == self.view), None)
            if space is not None:
                for part, name, value in self._saved:
                    setattr(getattr(space, part) if part else space, name, value)
                found.append(area)
        self._saved.clear()
        self._engine = ""
        return found

    def screen_plane(self) -> ScreenPlane | None:
        """Returns the screen plane of the view that is being drawn, None if that is another view."""
        space, region, data = bpy.context.space_data, bpy.context.region, bpy.context.region_data
        if space is None or region is None or data is None or space.as_pointer() != self.view:
            return None
        spread = 1 / data.window_matrix[0][0], 1 / data.window_matrix[1][1]
        return ScreenPlane((region.width, region.height), spread, PLANE_DISTANCE * space.clip_start)

    def eye(self) -> np.ndarray:
        """Returns the pose of the eye, (4, 4), to world."""
        return np.array(self.region.view_matrix.inverted())

    def camera(self) -> View | None:
        """Returns what the 3D view shows, as a camera."""
        region = next(region for region in self.area.regions if region.type == "WINDOW")
        return region_view(region, self.region)

    def stand(self, position: tuple[float, float], yaw: float | None = None) -> None:
        """Stands at (x, y) on the floor at eye height and looks level along yaw (radians, 0: +y), None as before."""
        rotation = _rotation_of(self.eye()) if yaw is None else view_rotation(yaw, 0.0)
        self.set_pose((*position, EYE_HEIGHT), rotation)

    def turn(self, angle: float) -> None:
        """Turns about the vertical through the eye, radians, counter-clockwise from above."""
        eye = self.eye()
        self.set_pose(eye[:3, 3], Quaternion((0.0, 0.0, 1.0), angle) @ _rotation_of(eye))

    def rotate(self, right: float, up: float) -> None:
        """Looks further to the right and up, radians; the horizon stays level."""
        eye = self.eye()
        ahead = -eye[:3, 2]
        yaw = math.atan2(-ahead[0], ahead[1]) - right
        pitch = math.asin(max(-1.0, min(1.0, ahead[2]))) + up
        self.set_pose(eye[:3, 3], view_rotation(yaw, min(max(pitch, -MAX_PITCH), MAX_PITCH)))

    def move(self, right: float, ahead: float, up: float) -> None:
        """Moves by metres parallel to the floor, whatever the pitch, and up."""
        eye = self.eye()
        (x, y, z), (east, north, _) = eye[:3, 3].tolist(), (-eye[:3, 2]).tolist()
        horizontal = max(math.hypot(east, north), 1e-6)
        east, north = east / horizontal, north / horizontal
        position = x + east * ahead + north * right, y + north * ahead - east * right, max(z + up, MIN_HEIGHT)
        self.set_pose(position, _rotation_of(eye))

    def set_pose(self, position: Any, rotation: Quaternion) -> None:
        """Sets the eye's position (x, y, z) in the world and its rotation."""
        region = self.region
        region.view_perspective, region.view_distance = "PERSP", 1.0
        region.view_rotation = rotation
        region.view_location = Vector(position) + rotation @ Vector((0.0, 0.0, -1.0))
        region.update()


def view_rotation(yaw: float, pitch: float) -> Quaternion:
    """Returns the rotation of an eye that looks along yaw (0: +y) and up by pitch, radians."""
    return Quaternion((0.0, 0.0, 1.0), yaw) @ Quaternion((1.0, 0.0, 0.0), math.pi / 2 + pitch)


def _rotation_of(pose: np.ndarray) -> Quaternion:
    return Matrix(pose[:3, :3].tolist()).to_quaternion()
