"""The command line; `Hall`, a hall whose network runs in the same process; and `show`, which opens it in Blender."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .in_process_hall import InProcessHall as Hall
    from .window.open_window import show as show

__all__ = ["Hall", "show"]


def __getattr__(name: str) -> Any:
    """Imports `Hall` or `show` on first use. Raises SceneError where Python has no Blender."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if find_spec("bpy") is None:
        from ..torch_bridge.recording.errors import SceneError

        raise SceneError("this Python has no Blender: pip install bpy, or run the script in Blender")
    from .in_process_hall import InProcessHall
    from .window.open_window import show

    return {"Hall": InProcessHall, "show": show}[name]
