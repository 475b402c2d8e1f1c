"""The bridge: keeps networks loaded and answers requests over HTTP on this machine.

Imports nothing by itself, because the command line reads `server.arguments` without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
MODULES = {
    "LoadedModel": "loaded_model",
    "PriorityLock": "priority_lock",
    "ServeConfig": "config",
    "ask": "in_process",
    "denormals_restored": "in_process",
    "find_method": "in_process",
    "open_with_connection_file": "start",
    "open_bridge": "start",
    "record_with_method": "in_process",
    "serve_config": "config",
    "shipped_network": "config",
    "join_instructions": "start",
}
"""Public name -> the module that defines it, imported on first use."""


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return getattr(import_module(f".{MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
