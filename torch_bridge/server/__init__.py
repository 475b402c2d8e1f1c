"""The bridge: keeps networks loaded and answers requests over HTTP on this machine.

Names are imported on first use: the command line reads `server.arguments` without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .config import ServeConfig, serve_config, shipped_network
    from .in_process import ask, denormals_restored, find_method, record_with_method
    from .loaded_model import LoadedModel
    from .priority_lock import PriorityLock
    from .start import join_instructions, open_bridge, open_with_connection_file

__all__ = [
    "LoadedModel",
    "PriorityLock",
    "ServeConfig",
    "ask",
    "denormals_restored",
    "find_method",
    "join_instructions",
    "open_bridge",
    "open_with_connection_file",
    "record_with_method",
    "serve_config",
    "shipped_network",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "LoadedModel": "loaded_model",
        "PriorityLock": "priority_lock",
        "ServeConfig": "config",
        "ask": "in_process",
        "denormals_restored": "in_process",
        "find_method": "in_process",
        "join_instructions": "start",
        "open_bridge": "start",
        "open_with_connection_file": "start",
        "record_with_method": "in_process",
        "serve_config": "config",
        "shipped_network": "config",
    },
)
