"""What Blender itself draws for the eyes of a session: no meshes, because the hall's own engine draws them; or all."""

from __future__ import annotations

from typing import Any

from . import xr

OWN: dict[str, Any] = {"type": "SOLID", "show_object_viewport_mesh": False}
"""Settings where the hall's engine draws the scene."""
PREVIEW: dict[str, Any] = {
    "type": "MATERIAL", "use_scene_lights": True, "use_scene_world": True, "show_object_viewport_mesh": True,
}  # fmt: skip
"""Settings where Blender draws it."""


class SessionShading:
    """The settings of a session that say what Blender draws, which a walk replaces until it ends."""

    def __init__(self) -> None:
        self._saved: dict[str, Any] = {}
        self._set: dict[str, Any] = OWN

    def save(self) -> None:
        """Saves the person's settings, before the session takes over the shading of the 3D view."""
        self._saved = {name: getattr(_owner(name), name) for name in PREVIEW}

    def choose(self, *, is_foreign: bool) -> None:
        """Sets who draws the scene. is_foreign: whether it shows something that the hall's engine doesn't draw."""
        self._set = PREVIEW if is_foreign else OWN
        self.enter()

    def enter(self) -> None:
        """Sets the shading of the walk."""
        _apply(self._set)

    def leave(self) -> None:
        """Restores the person's settings."""
        _apply(self._saved)


def _apply(values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(_owner(name), name, value)


def _owner(name: str) -> Any:
    return xr.settings() if name.startswith("show_object") else xr.settings().shading
