"""The data flow: near edges as paint on the floor, far ones as rails overhead that come down along posts."""

from __future__ import annotations

from dataclasses import dataclass

from ...layout import LEVELS, Hall, edge_path
from ...layout.camera_presets import figure_levels
from ...layout.edge_routes import rail_drops
from ...layout.view import View
from ..paint.meshes import Kit, Paint, ground

WIDTHS = {"data": 0.10, "skip": 0.07, "joined": 0.06}
DROP, JOINT = 0.04, 0.07
"""Width of the uprights; half the depth of a joint's bar."""
ORDER = {"data": 0.0, "joined": 0.004, "skip": 0.008}
"""Lift of one kind over another where they cross."""
LEAST = 3.0
"""Pixels of a data edge in a figure; the other kinds in proportion."""
BUNDLE, THIN = 40, 0.6
"""More rails than this are drawn thinner, so that a bundle thickens as features accumulate; so are edges to a wing."""


@dataclass(frozen=True)
class Pen:
    """How wide edges are drawn."""

    levels: tuple[float, float]
    scale: float = 1.0
    rails: float = 1.0
    drop: float = DROP

    def width(self, kind: str, above: bool, far: bool) -> float:
        return WIDTHS[kind] * self.scale * (self.rails if above else 1.0) * (THIN if far else 1.0)


def pen(hall: Hall, view: View | None) -> Pen:
    """The pen of a walk, or of a figure, where edges keep a least width in pixels."""
    if view is None or view.span is None:
        return Pen(LEVELS["walk"])
    pixel = view.span / view.width
    rails = THIN if sum(run.above for run in hall.runs) > BUNDLE else 1.0
    return Pen(figure_levels(hall), max(1.0, LEAST * pixel / WIDTHS["data"]), rails, max(DROP, LEAST / 2 * pixel))


def add_edges(hall: Hall, with_pen: Pen, kit: Kit) -> None:
    """One object of all runs, drops and joints."""
    paint = Paint(kit)
    for run in (*hall.runs, *hall.board_runs):
        for target in run.targets:
            far = target.wing != run.source.wing
            way = edge_path(hall, run, target, with_pen.levels) + (0.0, 0.0, ORDER[run.kind])
            paint.ribbon(way, with_pen.width(run.kind, run.above, far), run.kind)
    for kind, upright in rail_drops(hall, with_pen.levels):
        paint.ribbon(upright, with_pen.drop, kind)
    for slot in hall.slots:
        if not slot.side:
            bar = ground((slot.x, slot.y, with_pen.levels[0] + 0.006))
            paint.box(bar, (-hall.aisle, hall.aisle), (-JOINT, JOINT), "joined")
    if paint:
        paint.build("Edges", "edges")
