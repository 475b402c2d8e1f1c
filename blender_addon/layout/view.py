"""A camera with its projection, so that labels can be fitted before they are made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SENSOR = 36.0
"""Width in millimetres of the sensor that focal lengths refer to."""
LEAST_SLANT = 1e-5
"""Sine of the angle to the vertical below which a camera looks straight up or down, with +x to its right."""


@dataclass(frozen=True)
class View:
    """A camera at `position` that looks at `target`, metres; with a `span` it is orthographic."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    width: int
    height: int
    """Size of the picture, pixels."""
    lens: float = 24.0
    """Focal length of a perspective camera, millimetres."""
    span: float | None = None
    """Width that an orthographic camera shows, metres."""

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3) float; rows: the camera's unit vectors right, up and back in the world."""
        back = np.subtract(self.position, self.target)
        back = back / np.linalg.norm(back)
        right = np.cross([0.0, 0.0, 1.0], back)
        length = np.linalg.norm(right)
        right = right / length if length > LEAST_SLANT else np.array([1.0, 0.0, 0.0])
        right -= back * (right @ back)
        right /= np.linalg.norm(right)
        return np.array([right, np.cross(back, right), back])

    @property
    def right(self) -> np.ndarray:
        """(3,) float unit vector."""
        return self.axes[0]

    @property
    def up(self) -> np.ndarray:
        """(3,) float unit vector."""
        return self.axes[1]

    @property
    def back(self) -> np.ndarray:
        """(3,) float unit vector, away from the target."""
        return self.axes[2]

    def project(self, points: np.ndarray) -> np.ndarray:
        """Returns (…, 3) world points as (…, 3): pixels from the left, pixels from below, metres before the camera."""
        local = (np.asarray(points, float) - self.position) @ self.axes.T
        depth = -local[..., 2]
        scale = self.width / self.span if self.span else self.lens / SENSOR * self.width / np.maximum(depth, 1e-3)
        return np.stack([local[..., 0] * scale + self.width / 2, local[..., 1] * scale + self.height / 2, depth], -1)

    def pixel(self, point: np.ndarray) -> float:
        """Returns the metres across one pixel at a point (3,)."""
        if self.span:
            return self.span / self.width
        return float(self.project(point)[2]) * SENSOR / self.lens / self.width

    def matrix(self) -> np.ndarray:
        """Returns the (4, 4) float transform from camera to world."""
        result = np.eye(4)
        result[:3, :3], result[:3, 3] = self.axes.T, self.position
        return result
