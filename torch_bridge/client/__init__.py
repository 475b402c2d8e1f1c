"""Client of a bridge: starts one as a child process or joins a running one, and requests recordings and methods.

Standard library and numpy only; Blender's side imports this package.
"""

from .bridge import Ablate, Bridge, Strokes, join_at, join_bridge, start_bridge
from .connection_file import read_connection
from .inputs import BridgeInput, by_argument, default, file, for_argument, item, named, noise, pixels, video, words
from .process import BridgeProcess, start_process

__all__ = [
    "Ablate",
    "Bridge",
    "BridgeInput",
    "BridgeProcess",
    "Strokes",
    "by_argument",
    "default",
    "file",
    "for_argument",
    "item",
    "join_at",
    "join_bridge",
    "named",
    "noise",
    "pixels",
    "read_connection",
    "start_bridge",
    "start_process",
    "video",
    "words",
]
