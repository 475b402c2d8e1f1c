"""Interface of a hall: panels, blocks, layers, colours, ablation, comparison, import and export."""

from .ablation_operators import draw_ablation
from .brush_operators import draw_brush
from .panel_operators import ALIGNMENTS, selected_panels

__all__ = ["ALIGNMENTS", "draw_ablation", "draw_brush", "selected_panels"]
