"""What a 3D view shows, as a camera."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...layout.camera_presets import CAMERA_DISTANCE
from ...layout.view import SENSOR, View

WIDTH, LOOK_AHEAD = 1920, 10.0
"""Pixels across a picture of a view, and metres from its eye to the point that it looks at."""


def region_view(region: Any, data: Any) -> View | None:
    """Returns a camera that shows what a 3D view shows, level and WIDTH pixels wide; None if it shows a camera's view.

    region: the window region of the 3D view, data: its `RegionView3D`.
    """
    if data.view_perspective == "CAMERA":
        return None
    to_world, projection = np.linalg.inv(np.array(data.view_matrix)), np.array(data.window_matrix)
    ahead, height = -to_world[:3, 2], max(2, round(WIDTH * region.height / region.width / 2) * 2)
    if data.is_perspective:
        return view_along(to_world[:3, 3], ahead, (WIDTH, height), lens=SENSOR / 2 * float(projection[0, 0]))
    far = to_world[:3, 3] - ahead * CAMERA_DISTANCE  # an orthographic view also shows what is behind its eye
    return view_along(far, ahead, (WIDTH, height), span=2.0 / float(projection[0, 0]))


def view_along(
    eye: np.ndarray, ahead: np.ndarray, size: tuple[int, int], lens: float = SENSOR, span: float | None = None
) -> View:
    """Returns a camera at `eye` (3,), metres, that looks along `ahead` (3,), a unit vector."""
    x, y, z = eye.tolist()
    right, forth, up = (eye + ahead * LOOK_AHEAD).tolist()
    return View((x, y, z), (right, forth, up), *size, lens, span)
