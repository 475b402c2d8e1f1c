"""A plane just in front of the eye, on which labels are drawn at pixels of a 3D view. numpy only.

Positions are in the eye's axes (x right, y up, -z ahead): so close to the eye, world coordinates far from the origin
would jitter in single precision.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ScreenPlane(NamedTuple):
    """The plane that covers a 3D view."""

    size: tuple[int, int]
    """Width and height of the view, in pixels."""
    spread: tuple[float, float]
    """Half of the visible width and height at a distance of one metre, in metres."""
    distance: float
    """Metres from the eye to the plane; nothing else is closer."""

    @property
    def focal_length(self) -> float:
        """Pixels for each metre at a distance of one metre."""
        return self.size[0] / (2 * self.spread[0])

    @property
    def centre(self) -> tuple[int, int]:
        """The pixel in the middle of the view."""
        return round(self.size[0] / 2), round(self.size[1] / 2)

    def pose_at(self, x: float, y: float, density: float) -> np.ndarray:
        """Returns the pose, (4, 4), to the eye's axes, of a canvas whose origin is at a pixel, from the lower left.

        density: pixels for each metre of the canvas.
        """
        (width, height), (across, up), distance = self.size, self.spread, self.distance
        right, high = (2 * x / width - 1) * across * distance, (2 * y / height - 1) * up * distance
        scale = density * distance / self.focal_length
        return np.array([(scale, 0, 0, right), (0, scale, 0, high), (0, 0, scale, -distance), (0, 0, 0, 1)])


def fit_density(density: float, width: float, height: float, room: tuple[float, float]) -> float:
    """Returns the pixels for each metre, `density` at most, at which a canvas fits into a room.

    width, height: size of the canvas in metres. room: (width, height) in pixels.
    """
    return min(density, room[0] / max(width, 1e-6), room[1] / max(height, 1e-6))
