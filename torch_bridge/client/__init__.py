"""Client of a bridge: starts one as a child process or joins one, and asks it for recordings and methods.

Standard library and numpy only; Blender's side imports this package.
"""

from .bridge import (
    Ablate,
    Bridge,
    Given,
    channel,
    file,
    film,
    item,
    join_at,
    join_bridge,
    noise,
    pixels,
    read_connection,
    start_bridge,
)
from .process import Child, start_child

__all__ = [
    "Ablate",
    "Bridge",
    "Child",
    "Given",
    "channel",
    "file",
    "film",
    "item",
    "join_at",
    "join_bridge",
    "noise",
    "pixels",
    "read_connection",
    "start_bridge",
    "start_child",
]
