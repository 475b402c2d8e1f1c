"""Client of a bridge: starts one as a child process or joins a running one, and requests recordings and methods.

Standard library and numpy only; Blender's side imports this package.
"""

from .bridge import Ablate, Bridge, join_at, join_bridge, start_bridge
from .connection_file import read_connection
from .inputs import BridgeInput, default, file, item, noise, pixels, video, words
from .process import BridgeProcess, start_process

__all__ = [
    "Ablate",
    "Bridge",
    "BridgeInput",
    "BridgeProcess",
    "default",
    "file",
    "item",
    "join_at",
    "join_bridge",
    "noise",
    "pixels",
    "read_connection",
    "start_bridge",
    "start_process",
    "video",
    "words",
]
