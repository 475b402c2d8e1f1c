"""The command line, and `Hall`, a hall whose network runs in the same process."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .in_process_hall import InProcessHall as Hall

__all__ = ["Hall"]


def __getattr__(name: str) -> Any:
    """Imports `Hall` on first use. Raises SceneError where Python has no Blender."""
    if name != "Hall":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if find_spec("bpy") is None:
        from ..torch_bridge.recording.errors import SceneError

        raise SceneError("this Python has no Blender: pip install bpy, or run the script in Blender")
    from .in_process_hall import InProcessHall

    return InProcessHall
