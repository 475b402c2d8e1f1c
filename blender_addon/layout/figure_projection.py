"""A figure's panels as its camera sees them: parallel panels become upright rectangles when the picture is sheared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .boards import upright_axes
from .hall_model import HallLayout, Slot
from .view import View

TEXT_DROP, TEXT_INDENT, TEXT_ROOM = 1.5, 1.0, 0.6
"""Text below a panel: drop of its base line and distance from the post as shares of its size; least room, metres."""


@dataclass(frozen=True)
class FigureProjection:
    """A sheared projection with axes along the panels, upwards and away from the camera, in metres."""

    view: View
    yaw: float
    boxes: np.ndarray
    """(n, 4) float: left, low, right, high of each panel."""
    feet: np.ndarray
    """(n, 2) float: distance of the camera from both ends of each foot line."""

    @classmethod
    def of(cls, hall: HallLayout, view: View, head: float = 0.0) -> FigureProjection:
        """Projects a figure's panels, in the order of `hall.panels`, for an orthographic camera.

        head: metres over each panel that count as parts of it.
        """
        bare = cls(view, hall.parallel_yaw or 0.0, np.zeros((0, 4)), np.zeros((0, 2)))
        if not hall.panels:
            return bare
        feet = np.array([[(*end, 0.0) for end in slot.corners(bare.yaw)] for slot in hall.panels])
        flat = bare.locate(feet)
        rows = np.array([(slot.bottom, slot.top + head) for slot in hall.panels])
        low = flat[:, 0, 1]
        boxes = np.stack([flat[:, 0, 0], low + rows[:, 0], flat[:, 1, 0], low + rows[:, 1]], 1)
        return cls(view, bare.yaw, boxes, flat[:, :, 2])

    def locate(self, points: np.ndarray) -> np.ndarray:
        """Returns (…, 3) world points as (…, 3) coordinates: along the panels, up, away from the camera; metres."""
        right, up = upright_axes(self.yaw) @ self.view.axes[:2].T
        across, rise, back = np.moveaxis(np.asarray(points, float) @ self.view.axes.T, -1, 0)
        along = across / right[0]
        return np.stack([along, (rise - along * right[1]) / up[1], -back], -1)

    def is_hidden(self, points: np.ndarray) -> np.ndarray:
        """Returns (m,) bool: which of the points (m, 3) a panel covers."""
        along, up, away = self.locate(points).T[..., None]
        left, low, right, high = self.boxes.T
        share = (along - left) / np.maximum(right - left, 1e-9)
        foot = self.feet[:, 0] + (self.feet[:, 1] - self.feet[:, 0]) * share
        nearer = foot < away - 0.05  # a panel leans towards the camera above its foot, so this errs to "not hidden"
        return ((along > left) & (along < right) & (up > low) & (up < high) & nearer).any(1)

    def overlaps_panels(self, box: np.ndarray) -> np.ndarray:
        """Returns (n,) bool: which panels a rectangle (4,) overlaps in the picture."""
        return overlaps(self.boxes, box)


def overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns (n,) bool: which boxes (n, 4), each left, low, right, high, share more than an edge with `box` (4,)."""
    return (boxes[:, :2] < box[2:] - 1e-9).all(1) & (boxes[:, 2:] > box[:2] + 1e-9).all(1)


def label_box(
    projection: FigureProjection, panel: int, slot: Slot, size: float, width: float, gap: float
) -> np.ndarray:
    """Returns the (4,) rectangle of a label of `width` metres, `gap` metres above a panel, with its strip of floor."""
    left, low = projection.boxes[panel, 0], projection.boxes[panel, 3] + gap
    return np.array([left - 0.2 * size, low - 0.25 * size, left + width + 0.2 * size, low + 0.75 * size])


def text_below_box(projection: FigureProjection, panel: int, size: float, width: float) -> np.ndarray:
    """Returns the (4,) rectangle of a text of `width` metres below a panel, from its left edge."""
    left, base = projection.boxes[panel, 0] + TEXT_INDENT * size, projection.boxes[panel, 1] - TEXT_DROP * size
    return np.array([left, base - 0.25 * size, left + width, base + 0.75 * size])
