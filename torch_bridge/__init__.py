"""The network's side: run a torch model once and write down what every layer did. Imports no torch by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .recording import Edge, Layer, Maps, Network, Prediction, Recording

if TYPE_CHECKING:
    from .recorder import record as record

__all__ = ["Edge", "Layer", "Maps", "Network", "Prediction", "Recording", "record"]


def __getattr__(name: str) -> Any:
    if name == "record":
        from .recorder import record

        return record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
