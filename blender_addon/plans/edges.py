"""The data flow: near edges on the floor, far ones as rails overhead that come down along posts."""

from __future__ import annotations

from dataclasses import dataclass

from ..layout import LEVELS, HallLayout, edge_path
from ..layout.boards import answer_posts
from ..layout.camera_presets import figure_levels
from ..layout.edge_routes import rail_drops
from ..layout.view import View
from .primitives import Plan, Style, ground

WIDTHS = {"data": 0.10, "skip": 0.07, "joined": 0.06}
"""Width in metres of each kind of edge."""
DROP, JOINT = 0.04, 0.07
"""Width of the uprights; half the depth of a joint's bar; metres."""
LIFTS = {"data": 0.0, "joined": 0.004, "skip": 0.008}
"""Metres by which one kind lies over another where they cross."""
LEAST = 3.0
"""Least width of a data edge in a figure, in pixels; the other kinds in proportion."""
BUNDLE, THIN = 40, 0.6
"""Where there are more rails than BUNDLE they are drawn with THIN of their width, as are edges to another wing."""


@dataclass(frozen=True)
class EdgePen:
    """Heights of edges, and the widths they are drawn with."""

    levels: tuple[float, float]
    """Heights of near and of far edges, metres."""
    scale: float = 1.0
    """Factor for the widths of all edges."""
    rails: float = 1.0
    """Further factor for the widths of rails."""
    drop: float = DROP

    def width(self, kind: str, above: bool, far: bool) -> float:
        """Returns metres. above: it is a rail; far: it leads to another wing."""
        return WIDTHS[kind] * self.scale * (self.rails if above else 1.0) * (THIN if far else 1.0)


def edge_pen(hall: HallLayout, view: View | None) -> EdgePen:
    """Returns the pen for a walk, or for a figure, where edges keep a least width in pixels."""
    if view is None or view.span is None:
        return EdgePen(LEVELS["walk"])
    pixel = view.span / view.width
    rails = THIN if sum(run.above for run in hall.runs) > BUNDLE else 1.0
    return EdgePen(figure_levels(hall), max(1.0, LEAST * pixel / WIDTHS["data"]), rails, max(DROP, LEAST / 2 * pixel))


def plan_edges(hall: HallLayout, view: View | None, style: Style) -> Plan:
    """Plans all edges, uprights and joints; empty for a hall of one panel."""
    plan, pen = Plan(style, "Edges", "edges"), edge_pen(hall, view)
    for run in (*hall.runs, *hall.board_runs):
        for target in run.targets:
            far = target.wing != run.source.wing
            path = edge_path(hall, run, target, pen.levels) + (0.0, 0.0, LIFTS[run.kind])
            plan.ribbon(path, pen.width(run.kind, run.above, far), run.kind)
    for kind, upright in rail_drops(hall, pen.levels):
        plan.ribbon(upright, pen.drop, kind)
    for upright in answer_posts(hall):
        plan.ribbon(upright, pen.width("data", False, False), "data")
    for slot in hall.slots:
        if not slot.side:
            bar = ground((slot.x, slot.y, pen.levels[0] + 0.006))
            plan.box(bar, (-hall.aisle, hall.aisle), (-JOINT, JOINT), "joined")
    return plan
