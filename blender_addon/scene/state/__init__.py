"""State of a scene: the selection, objects by role, temporary data-blocks and undo steps."""

from .data_blocks import all_or_nothing, push_undo, temporary_data
from .parts import find_child, find_part, hall_collection
from .selection import Selection, selected

__all__ = [
    "Selection",
    "all_or_nothing",
    "find_child",
    "find_part",
    "hall_collection",
    "push_undo",
    "selected",
    "temporary_data",
]
