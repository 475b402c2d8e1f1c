"""The network's side: runs a PyTorch model once and records what every layer did. Imports nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .capture.recorder import record as record
    from .recording import Edge, Layer, Maps, Network, Prediction, Recording
    from .server.in_process import ask as ask

__all__ = ["Edge", "Layer", "Maps", "Network", "Prediction", "Recording", "ask", "record"]


def __getattr__(name: str) -> Any:
    if name == "record":
        from .capture.recorder import record

        return record
    if name == "ask":
        from .server.in_process import ask

        return ask
    if name in __all__:
        from . import recording

        return getattr(recording, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
