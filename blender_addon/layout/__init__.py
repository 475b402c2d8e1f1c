"""Where everything in a hall stands: panels, edges, boards, cameras and labels.

Pure numpy, no bpy. World: x across, y along the walk, z up; metres and radians.
"""

from .edge_routes import LEVELS, path, polyline, turn
from .layout_checks import check
from .model import HALF, Hall, Run, Slot, Stage, Wing, grid, tile_edge
from .planner import FORWARD, JOIN, LOUVRE, Manner, panel_kind, plan, plan_figure

__all__ = [
    "FORWARD",
    "HALF",
    "JOIN",
    "LEVELS",
    "LOUVRE",
    "Hall",
    "Manner",
    "Run",
    "Slot",
    "Stage",
    "Wing",
    "check",
    "grid",
    "panel_kind",
    "path",
    "plan",
    "plan_figure",
    "polyline",
    "tile_edge",
    "turn",
]
