"""Where everything in a hall stands: panels, edges, boards, cameras and labels.

Pure numpy, no bpy. World: x across, y along the walk, z up; metres and radians.
"""

from .edge_routes import LEVELS, edge_path, lane_path, wing_route
from .layout_checks import measure_layout
from .model import HALF, EdgeRun, Hall, Slot, Stage, Wing, panel_grid, tile_edge
from .planner import FIGURE_YAW, FORWARD, JOIN, LayoutOptions, lay_out, lay_out_figure, slot_kind

__all__ = [
    "FIGURE_YAW",
    "FORWARD",
    "HALF",
    "JOIN",
    "LEVELS",
    "EdgeRun",
    "Hall",
    "LayoutOptions",
    "Slot",
    "Stage",
    "Wing",
    "edge_path",
    "lane_path",
    "lay_out",
    "lay_out_figure",
    "measure_layout",
    "panel_grid",
    "slot_kind",
    "tile_edge",
    "wing_route",
]
