"""Shading of a 3D view or headset: baked colours in solid mode without lights, or the shaders in material preview."""

from __future__ import annotations

from typing import Any, Literal

import bpy

from ...imaging.colour_maps import THEMES, srgb
from ..materials import colour_settings

ShadingMode = Literal["baked", "preview"]
EFFECTS = ("show_xray", "show_shadows", "show_cavity", "show_object_outline", "use_dof")
"""Effects that solid shading would add."""
GAMMA = 2.2
"""Exponent by which Blender shows a view's background colour, instead of the sRGB curve."""
SETTINGS: dict[ShadingMode, dict[str, Any]] = {
    "baked": {"type": "SOLID", "light": "FLAT", "color_type": "TEXTURE", "background_type": "VIEWPORT",
              **dict.fromkeys(EFFECTS, False)},
    "preview": {"type": "MATERIAL", "use_scene_lights": True, "use_scene_world": True},
}  # fmt: skip
"""Settings in the order in which they must be set: some exist only for a type, and a light disables some colours."""


def set_shading(scene: bpy.types.Scene, shading: bpy.types.View3DShading, mode: ShadingMode) -> dict[str, Any]:
    """Sets the shading for a hall; returns the previous settings for `restore_shading`."""
    wanted = SETTINGS[mode]
    if mode == "baked":
        theme = THEMES[colour_settings.read_scene_colours(scene)["theme"]]
        floor = srgb(theme["floor"])  # the floor's colour hides where the floor ends, as solid shading has no fog
        wanted = wanted | {"background_color": tuple(floor**GAMMA)}
    previous = {name: _value(shading, name) for name in wanted}
    _set(shading, wanted)
    return previous


def restore_shading(shading: bpy.types.View3DShading, previous: dict[str, Any]) -> None:
    """Sets the shading as it was before `set_shading`."""
    _set(shading, {name: value for name, value in previous.items() if name != "type"} | {"type": previous["type"]})


def _value(shading: bpy.types.View3DShading, name: str) -> Any:
    value = getattr(shading, name)
    return tuple(value) if name == "background_color" else value


def _set(shading: bpy.types.View3DShading, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(shading, name, value)
