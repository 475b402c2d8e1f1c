"""A camera with its projection, so that words can be fitted before they are made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SENSOR = 36.0
"""Width of the sensor in millimetres; lenses are given for it."""


@dataclass(frozen=True)
class View:
    """A camera at `at` that looks at `look`, metres; `span` makes it orthographic, metres across the picture."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    width: int
    height: int
    """Of the picture, pixels."""
    lens: float = 24.0
    """Millimetres; for perspective cameras."""
    span: float | None = None

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3) rows: right, up and back of the camera in the world."""
        back = np.subtract(self.position, self.target)
        back = back / np.linalg.norm(back)
        right = np.cross([0.0, 0.0, 1.0], back)
        right /= np.linalg.norm(right)
        return np.array([right, np.cross(back, right), back])

    @property
    def right(self) -> np.ndarray:
        return self.axes[0]

    @property
    def up(self) -> np.ndarray:
        return self.axes[1]

    @property
    def back(self) -> np.ndarray:
        return self.axes[2]

    def project(self, points: np.ndarray) -> np.ndarray:
        """(…, 3) world -> (…, 3): pixels from the left, pixels from below, metres in front of the camera."""
        local = (np.asarray(points, float) - self.position) @ self.axes.T
        depth = -local[..., 2]
        scale = self.width / self.span if self.span else self.lens / SENSOR * self.width / np.maximum(depth, 1e-3)
        return np.stack([local[..., 0] * scale + self.width / 2, local[..., 1] * scale + self.height / 2, depth], -1)

    def pixel(self, point: np.ndarray) -> float:
        """Metres across one pixel at a point (3,)."""
        if self.span:
            return self.span / self.width
        return float(self.project(point)[2]) * SENSOR / self.lens / self.width

    def matrix(self) -> np.ndarray:
        """(4, 4) camera to world, as Blender's `matrix_world`."""
        found = np.eye(4)
        found[:3, :3], found[:3, 3] = self.axes.T, self.position
        return found
