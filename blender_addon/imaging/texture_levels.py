"""How fine the textures of a hall are within a budget: whole near the viewer, halved with each doubling of the way.

World: metres. A level halves a map in both directions as often as it says. numpy only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .atlas import TALLEST

TEXEL = 4
"""Bytes of a texel: red, green, blue, alpha."""
NEAR = 0.1
"""Metres: nothing counts as nearer."""
SEEN = 0.5
"""Cosine of the angle to the gaze up to which something counts as in view."""


class Extent(NamedTuple):
    """The texture of a panel: tiles side by side on its grid."""

    columns: int
    rows: int
    height: int
    """Texels of a tile, whole."""
    width: int

    @property
    def deepest(self) -> int:
        """The level at which a tile is one texel."""
        return (max(self.height, self.width) - 1).bit_length()

    @property
    def least(self) -> int:
        """The first level that fits in an image."""
        return next((k for k in range(self.deepest) if max(self.size(k)) <= TALLEST), self.deepest)

    def size(self, level: int) -> tuple[int, int]:
        """Width and height of the texture, texels."""
        return self.columns * -(-self.width >> level), self.rows * -(-self.height >> level)

    def bytes(self, level: int) -> int:
        """What it takes of a graphics card's memory."""
        width, height = self.size(level)
        return TEXEL * width * height


def levels(extents: Sequence[Extent], distances: np.ndarray, budget: int) -> np.ndarray:
    """(n,) int: the level of each texture, so that all of them take `budget` bytes at most.

    distances: (n,) metres to the viewer. Up to one reach everything is whole, up to twice that it is halved, and so on;
    the reach is the longest that the budget allows. Where nothing does, every tile is one texel.
    """
    deepest = max((one.deepest for one in extents), default=0)
    least, most = (np.array([getattr(one, end) for one in extents], int) for end in ("least", "deepest"))
    sizes = np.array([[one.bytes(level) for level in range(deepest + 1)] for one in extents])
    distances = np.maximum(distances, NEAR)

    def at(reach: float) -> np.ndarray:
        return np.clip(np.ceil(np.log2(distances / reach)), least, most).astype(int)

    def total(reach: float) -> int:
        return int(np.take_along_axis(sizes, at(reach)[:, None], 1).sum())

    reaches = np.unique(distances[:, None] / 2.0 ** np.arange(deepest + 1))
    return at(reaches[max(bisect_right(reaches, budget, key=total) - 1, 0)]) if len(extents) else most


def nearest(panel: np.ndarray, size: tuple[float, float], eye: np.ndarray) -> np.ndarray:
    """(3,) the point of a panel that is about the nearest to an eye (3,), world.

    panel: (4, 4) to world; size: its width and height in its own metres.
    """
    inner = np.linalg.pinv(panel[:3, :3]) @ (eye - panel[:3, 3])
    return panel[:3, :3] @ [*np.clip(inner[:2], 0, size), 0.0] + panel[:3, 3]


def in_view(points: np.ndarray, viewer: np.ndarray) -> np.ndarray:
    """(n,) bool: which points (n, 3) a viewer has before them; (4, 4) to world, they look along their -z."""
    ways, gaze = points - viewer[:3, 3], -viewer[:3, 2]
    return ways @ gaze >= SEEN * np.linalg.norm(ways, axis=1) * np.linalg.norm(gaze)
