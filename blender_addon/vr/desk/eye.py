"""The body of a walk without a headset: an eye in a 3D view of the window."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ...layout.model import EYE
from .screen_plane import Glass

EYE_NAME = "eye"
"""The one hand of the desk: it points where the eye looks."""
STEEP = math.radians(85)
"""How far up and down one can look."""
LOWEST = 0.2
"""Metres over the floor: the eye goes no lower."""
BEFORE = 1.5
"""How far before the eye the glass is, times the nearest that a view shows: nothing comes between."""
VIEW = {
    "lens": 36.0, "lock_cursor": False, "show_gizmo": False, "show_region_ui": False, "show_region_toolbar": False,
    "show_region_header": True,
}  # fmt: skip
"""How a view is for a walk: as wide as 90 degrees; keys are told in its header, and the walk's card has its corner."""
OVERLAY = {"show_overlays": True} | dict.fromkeys(
    ("show_floor", "show_ortho_grid", "show_axis_x", "show_axis_y", "show_axis_z", "show_cursor", "show_text",
     "show_stats", "show_outline_selected", "show_relationship_lines", "show_object_origins", "show_extras",
     "show_annotation"), False)  # fmt: skip
"""Without overlays Blender draws nothing of a walk either."""


class Desk:
    """The body at the desk: the 3D view that the pointer is in, else the largest one that shows the hall.

    It is known by its address, as it moves to another area when that is maximised; no reference to it is kept.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene = scene.name
        self._before: list[tuple[str, str, Any]] = []
        """(part of the view, name, value) of what a walk changes."""
        areas = list(self._areas())
        here = bpy.context.space_data
        if here is None or here not in [area.spaces.active for area in areas]:
            largest = max(areas, key=lambda area: area.width * area.height, default=None)
            here = largest.spaces.active if largest else None
        self.view = here.as_pointer() if here else 0

    def _areas(self) -> Iterator[Any]:
        """The 3D views of windows that show the hall."""
        windows = (one for one in bpy.context.window_manager.windows if one.scene.name == self._scene)
        return (area for window in windows for area in window.screen.areas if area.type == "VIEW_3D")

    @property
    def area(self) -> Any:
        """Where the view is now; None where it is gone."""
        return next((one for one in self._areas() if one.spaces.active.as_pointer() == self.view), None)

    @property
    def region(self) -> Any:
        """The view's `RegionView3D`."""
        return self.area.spaces.active.region_3d

    def enter(self) -> None:
        """The view becomes one of a walk."""
        space = self.area.spaces.active
        for part, wanted in (("", VIEW), ("overlay", OVERLAY)):
            owner = getattr(space, part) if part else space
            self._before += [(part, name, getattr(owner, name)) for name in wanted]
            for name, value in wanted.items():
                setattr(owner, name, value)

    def leave(self) -> None:
        """The view is as it was, but for where it looks from; also where its area shows something else now."""
        areas = [area for screen in bpy.data.screens for area in screen.areas]
        for area, space in [(one, space) for one in areas for space in one.spaces]:
            if space.as_pointer() == self.view:
                for part, name, value in self._before:
                    setattr(getattr(space, part) if part else space, name, value)
                area.header_text_set(None)
                area.tag_redraw()
        self._before.clear()

    def glass(self) -> Glass | None:
        """The view that is just being drawn, as a pane; None for another view."""
        space, region, data = bpy.context.space_data, bpy.context.region, bpy.context.region_data
        if space is None or region is None or data is None or space.as_pointer() != self.view:
            return None
        spread = 1 / data.window_matrix[0][0], 1 / data.window_matrix[1][1]
        return Glass((region.width, region.height), spread, BEFORE * space.clip_start)

    def eye(self) -> np.ndarray:
        """(4, 4) of the view's eye, world."""
        return np.array(self.region.view_matrix.inverted())

    def stand(self, place: tuple[float, float], yaw: float | None = None) -> None:
        """At eye height over a place of the floor, looking level where a yaw is given."""
        turn = _turn(self.eye()) if yaw is None else looking(yaw, 0.0)
        self.put((*place, EYE), turn)

    def turn(self, by: float) -> None:
        """About the eye."""
        eye = self.eye()
        self.put(eye[:3, 3], Quaternion((0.0, 0.0, 1.0), by) @ _turn(eye))

    def glance(self, right: float, up: float) -> None:
        """Look further to the right and up, radians; the horizon stays level."""
        eye = self.eye()
        ahead = -eye[:3, 2]
        yaw = math.atan2(-ahead[0], ahead[1]) - right
        pitch = math.asin(max(-1.0, min(1.0, ahead[2]))) + up
        self.put(eye[:3, 3], looking(yaw, min(max(pitch, -STEEP), STEEP)))

    def walk(self, right: float, ahead: float, up: float) -> None:
        """So many metres, over the floor whatever the eye looks at."""
        eye = self.eye()
        (x, y, z), (east, north, _) = eye[:3, 3].tolist(), (-eye[:3, 2]).tolist()
        level = max(math.hypot(east, north), 1e-6)
        east, north = east / level, north / level
        to = x + east * ahead + north * right, y + north * ahead - east * right, max(z + up, LOWEST)
        self.put(to, _turn(eye))

    def put(self, place: Any, turn: Quaternion) -> None:
        """The eye is there and looks so."""
        region = self.region
        region.view_perspective, region.view_distance = "PERSP", 1.0
        region.view_rotation = turn
        region.view_location = Vector(place) + turn @ Vector((0.0, 0.0, -1.0))
        region.update()


def looking(yaw: float, pitch: float) -> Quaternion:
    """Of an eye that looks along yaw (0: +y) and up by pitch."""
    return Quaternion((0.0, 0.0, 1.0), yaw) @ Quaternion((1.0, 0.0, 0.0), math.pi / 2 + pitch)


def _turn(eye: np.ndarray) -> Quaternion:
    return Matrix(eye[:3, :3].tolist()).to_quaternion()
