"""Tubes from tile to tile, for a method that links channels of one layer to those of another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..imaging.tile_grids import TileGrid
from ..properties import CHANNEL_LINKS_ROLE
from .annotations import add_outline
from .primitives import Plan, Plane, Style

THIN, THICK, PIXELS = 0.004, 0.017, 0.9
"""Radius in metres of the weakest and the strongest link; least radius in pixels of a figure."""
FAINT = 0.35
"""Share of its colour that the weakest link has."""
STEPS, SIDES = 24, 6
"""Pieces along a tube and around it."""
OFF, BOW, REACH = 0.03, 0.45, (0.35, 1.3)
"""Metres before its tile at which a tube begins; how far it goes straight ahead as a share of its length, and the
bounds of that in metres."""


@dataclass(frozen=True)
class LinkEnd:
    """A tile at one end of a link."""

    matrix: np.ndarray
    """(4, 4) float, from the panel's coordinates to the world's."""
    grid: TileGrid
    place: int
    """Place of the tile on the grid; -1 if it isn't shown: the link then ends before the panel's middle."""
    size: tuple[float, float]
    """Width and height of the panel, metres."""

    def point(self) -> np.ndarray:
        """Returns the (3,) float32 point in the world at which the tube begins or ends, metres."""
        x, y = self.grid.centre(self.place) if self.place >= 0 else np.array(self.size) / 2
        terms = np.asarray(self.matrix[:3], np.float32) * np.array([x, y, OFF, 1.0], np.float32)
        return terms.astype(float).sum(1).astype(np.float32)

    def ahead(self) -> np.ndarray:
        """Returns the (3,) float32 unit vector from the panel to its viewer."""
        normal = np.asarray(self.matrix[:3, 2], np.float32)
        length = np.float32(np.sqrt((normal.astype(float) ** 2).sum()))
        return np.asarray(normal * (np.float32(1.0) / length))


@dataclass(frozen=True)
class ChannelLink:
    """A link between two tiles."""

    source: LinkEnd
    target: LinkEnd
    strength: float
    """-1..1, as a share of the strongest between these layers."""


def plan_channel_links(links: Iterable[ChannelLink], pixel: float, style: Style) -> Plan:
    """Plans tubes for the links, each with a rim around both of its tiles; pixel: metres of one in a figure, else 0."""
    plan = Plan(style, "Beams", CHANNEL_LINKS_ROLE)
    for link in links:
        share = abs(link.strength)
        radius = max(THIN + (THICK - THIN) * share, PIXELS * pixel * (0.4 + 0.6 * share))
        colour, board = style.colour("plus" if link.strength > 0 else "minus"), style.colour("board")
        plan.quads(tube(_tube_path(link), radius), board + (colour - board) * (FAINT + (1 - FAINT) * share))
        for end in (link.source, link.target):
            _add_ring(plan, end, colour)
    return plan


def _tube_path(link: ChannelLink) -> np.ndarray:
    """Returns (STEPS + 1, 3) float points of a curve that leaves both tiles straight ahead, metres."""
    start, end = link.source.point(), link.target.point()
    straight = np.clip(BOW * np.linalg.norm(end - start), *REACH)
    t = np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    corners = (start, start + straight * link.source.ahead(), end + straight * link.target.ahead(), end)
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return np.asarray(sum(weight * corner for weight, corner in zip(weights, corners, strict=True)))


def _add_ring(plan: Plan, end: LinkEnd, colour: np.ndarray) -> None:
    """Adds a rim around a tile that is linked."""
    if end.place < 0:
        return
    right, up, origin = end.matrix[:3, 0], end.matrix[:3, 1], end.matrix[:3, 3]
    x, y = end.grid.centre(end.place)
    half = np.array(end.grid.cell) / 2
    sides = (x - half[0], x + half[0]), (y - half[1], y + half[1])
    add_outline(plan, Plane(origin, right, up), *sides, 0.05 * min(end.grid.cell), colour, 0.012)


def tube(path: np.ndarray, radius: float) -> np.ndarray:
    """Returns quads (m, 4, 3) float around a path (n, 3), with open ends; metres."""
    way = np.gradient(path, axis=0)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    side = np.cross(way, [0.0, 0.0, 1.0])
    side = np.where(np.linalg.norm(side, axis=1, keepdims=True) < 1e-3, [1.0, 0.0, 0.0], side)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up, turn = np.cross(side, way), 2 * np.pi * np.arange(SIDES + 1) / SIDES
    rings = path[:, None] + radius * (np.cos(turn)[:, None] * side[:, None] + np.sin(turn)[:, None] * up[:, None])
    quads = np.stack([rings[:-1, :-1], rings[1:, :-1], rings[1:, 1:], rings[:-1, 1:]], 2)
    return quads.reshape(-1, 4, 3)
