"""The pane before the eye at the desk: where a pixel of a 3D view is. numpy only.

Places are told as the eye sees them, x to the right, y up, -z ahead: in the world, far from its origin, what is so near
would tremble in single precision.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Glass(NamedTuple):
    """A 3D view as a pane before its eye."""

    size: tuple[int, int]
    """Width and height, pixels."""
    spread: tuple[float, float]
    """Half of what is seen across and up a metre away, metres."""
    away: float
    """Metres from the eye to the pane: before everything else."""

    @property
    def focal(self) -> float:
        """Pixels that a metre has a metre away."""
        return self.size[0] / (2 * self.spread[0])

    @property
    def middle(self) -> tuple[int, int]:
        """The pixel that the eye looks at."""
        return round(self.size[0] / 2), round(self.size[1] / 2)

    def at(self, x: float, y: float, dense: float) -> np.ndarray:
        """(4, 4) of a plane that begins at a pixel, counted from the lower left; its metre has `dense` pixels."""
        (wide, tall), (across, up), away = self.size, self.spread, self.away
        right, high, by = (2 * x / wide - 1) * across * away, (2 * y / tall - 1) * up * away, dense * away / self.focal
        return np.array([(by, 0, 0, right), (0, by, 0, high), (0, 0, by, -away), (0, 0, 0, 1)])


def fitted(dense: float, wide: float, tall: float, room: tuple[float, float]) -> float:
    """Pixels a metre of something so large, metres, that `room` pixels across and up have to hold: `dense` at most."""
    return min(dense, room[0] / max(wide, 1e-6), room[1] / max(tall, 1e-6))
