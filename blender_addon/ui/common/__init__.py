"""What all parts of the interface share: bases of operators and panels, previews, wrapped texts."""

from .operators import (
    ActionOperator,
    LayerOperator,
    NeedsBridge,
    NeedsHall,
    NeedsNetwork,
    NeedsSelectedLayer,
    attempt,
    session,
)
from .panels import HallPanel, SidebarPanel
from .text_lines import draw_lines
from .translating import translatable, translated

__all__ = [
    "ActionOperator",
    "HallPanel",
    "LayerOperator",
    "NeedsBridge",
    "NeedsHall",
    "NeedsNetwork",
    "NeedsSelectedLayer",
    "SidebarPanel",
    "attempt",
    "draw_lines",
    "session",
    "translatable",
    "translated",
]
