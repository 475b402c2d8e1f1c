"""Client of a bridge: starts one as a child process or joins one, and asks it for recordings and methods.

Standard library and numpy only; Blender's side imports this package.
"""

from .bridge import (
    Ablate,
    Bridge,
    BridgeInput,
    channel,
    file,
    video,
    item,
    join_at,
    join_bridge,
    noise,
    pixels,
    read_connection,
    start_bridge,
)
from .process import BridgeProcess, start_process

__all__ = [
    "Ablate",
    "Bridge",
    "BridgeProcess",
    "BridgeInput",
    "channel",
    "file",
    "video",
    "item",
    "join_at",
    "join_bridge",
    "noise",
    "pixels",
    "read_connection",
    "start_bridge",
    "start_process",
]
