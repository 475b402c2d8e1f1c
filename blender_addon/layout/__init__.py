"""Where everything in a hall stands: panels, edges, boards, cameras and labels.

Pure numpy, no bpy. World: x across, y along the walk, z up; metres and radians.
"""

from .edge_routes import LEVELS, edge_path, lane_path, wing_route
from .layout_checks import measure_layout
from .model import HALF, Hall, EdgeRun, Slot, Stage, Wing, grid, tile_edge
from .planner import FORWARD, JOIN, FIGURE_YAW, LayoutOptions, slot_kind, lay_out, lay_out_figure

__all__ = [
    "FORWARD",
    "HALF",
    "JOIN",
    "LEVELS",
    "FIGURE_YAW",
    "Hall",
    "LayoutOptions",
    "EdgeRun",
    "Slot",
    "Stage",
    "Wing",
    "measure_layout",
    "grid",
    "slot_kind",
    "edge_path",
    "lay_out",
    "lay_out_figure",
    "lane_path",
    "tile_edge",
    "wing_route",
]
