"""Where everything in a hall stands: panels, edges, boards, cameras and labels; pure numpy, no bpy.

World: x across, y along the walk, z up; metres and radians.
"""

from .blocks import Block, matching_blocks, shown_graph
from .boards import Board, answer_boards, input_boards, shelf_desk, title_board
from .edge_routes import LEVELS, edge_path
from .hall_model import AISLE_HALF_WIDTH, FILL, BoardLinks, EdgeRun, HallLayout, Slot, Stage, Wing, panel_grid
from .layout_checks import measure_layout
from .planner import FIGURE_YAW, JOINT_GAP, SOURCE_GAP, lay_out, lay_out_figure
from .stages import stage_title
from .text_fitting import CAP, DESCENT, Align, Font, Label
from .view import SENSOR, View

__all__ = [
    "AISLE_HALF_WIDTH",
    "CAP",
    "DESCENT",
    "FIGURE_YAW",
    "FILL",
    "JOINT_GAP",
    "LEVELS",
    "SENSOR",
    "SOURCE_GAP",
    "Align",
    "Block",
    "Board",
    "BoardLinks",
    "EdgeRun",
    "Font",
    "HallLayout",
    "Label",
    "Slot",
    "Stage",
    "View",
    "Wing",
    "answer_boards",
    "edge_path",
    "input_boards",
    "lay_out",
    "lay_out_figure",
    "matching_blocks",
    "measure_layout",
    "panel_grid",
    "shelf_desk",
    "shown_graph",
    "stage_title",
    "title_board",
]
