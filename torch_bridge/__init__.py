"""The network's side: runs a PyTorch model once and records what every layer did. Imports nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .capture.recorder import record as record
    from .recording import Edge, Layer, Maps, Network, Prediction, Recording, load
    from .server.in_process import ask as ask

__all__ = ["Edge", "Layer", "Maps", "Network", "Prediction", "Recording", "ask", "load", "record"]

__getattr__ = lazy_exports(
    __name__,
    {"record": "capture.recorder", "ask": "server.in_process"}
    | dict.fromkeys(("Edge", "Layer", "Maps", "Network", "Prediction", "Recording", "load"), "recording"),
)
