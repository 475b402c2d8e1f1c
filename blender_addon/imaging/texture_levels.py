"""Chooses the resolution of textures within a memory budget: full near the viewer, halved per doubled distance.

World coordinates are metres. Level k halves a map k times in both directions. numpy only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .tile_grids import MAX_SIDE

TEXEL = 4
"""Bytes of an RGBA texel."""
NEAR = 0.1
"""Smallest distance that counts, metres."""
SEEN = 0.5
"""Cosine of the largest angle to the view direction that counts as in view."""


class TextureExtent(NamedTuple):
    """Size of a panel's texture: tiles side by side on its grid."""

    columns: int
    rows: int
    height: int
    """Height of a tile at level 0, texels."""
    width: int
    """Width of a tile at level 0, texels."""

    @property
    def max_level(self) -> int:
        """Level at which a tile is one texel."""
        return (max(self.height, self.width) - 1).bit_length()

    @property
    def min_level(self) -> int:
        """First level at which the texture fits in an image."""
        return next((k for k in range(self.max_level) if max(self.size(k)) <= MAX_SIDE), self.max_level)

    def size(self, level: int) -> tuple[int, int]:
        """Returns width and height of the texture at a level, texels."""
        return self.columns * -(-self.width >> level), self.rows * -(-self.height >> level)

    def bytes(self, level: int) -> int:
        """Returns the GPU memory of the texture at a level, bytes."""
        width, height = self.size(level)
        return TEXEL * width * height


def choose_levels(extents: Sequence[TextureExtent], distances: np.ndarray, budget: int) -> np.ndarray:
    """Chooses the level of each texture, (n,) int, so that all of them take at most `budget` bytes.

    distances: (n,) metres to the viewer. Textures within the reach have level 0, within twice the reach level 1, and so
    on; the reach is the longest that the budget allows. Where none does, every tile is one texel.
    """
    deepest = max((extent.max_level for extent in extents), default=0)
    least, most = (np.array([getattr(extent, end) for extent in extents], int) for end in ("min_level", "max_level"))
    sizes = np.array([[extent.bytes(level) for level in range(deepest + 1)] for extent in extents])
    distances = np.maximum(distances, NEAR)

    def levels_for(reach: float) -> np.ndarray:
        return np.clip(np.ceil(np.log2(distances / reach)), least, most).astype(int)

    def total(reach: float) -> int:
        return int(np.take_along_axis(sizes, levels_for(reach)[:, None], 1).sum())

    reaches = np.unique(distances[:, None] / 2.0 ** np.arange(deepest + 1))
    return levels_for(reaches[max(bisect_right(reaches, budget, key=total) - 1, 0)]) if len(extents) else most


def nearest_point(panel: np.ndarray, size: tuple[float, float], eye: np.ndarray) -> np.ndarray:
    """Returns the point (3,) of a panel that is approximately nearest to an eye (3,), world coordinates.

    panel: (4, 4) matrix to world; size: width and height in the panel's own metres.
    """
    inner = np.linalg.pinv(panel[:3, :3]) @ (eye - panel[:3, 3])
    return panel[:3, :3] @ [*np.clip(inner[:2], 0, size), 0.0] + panel[:3, 3]


def are_in_view(points: np.ndarray, viewer: np.ndarray) -> np.ndarray:
    """Tells which points (n, 3) are in view, (n,) bool; viewer: (4, 4) matrix to world, looking along its -z."""
    directions, forward = points - viewer[:3, 3], -viewer[:3, 2]
    return directions @ forward >= SEEN * np.linalg.norm(directions, axis=1) * np.linalg.norm(forward)
