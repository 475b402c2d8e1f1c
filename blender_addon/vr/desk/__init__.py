"""The desktop walk, with keys, mouse and a crosshair."""

from .desk_walk import DeskWalk, begin, current, finish

__all__ = ["DeskWalk", "begin", "current", "finish"]
