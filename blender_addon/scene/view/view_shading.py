"""How a 3D view or a headset shades a hall: baked colours without any light, or the shader as it is."""

from __future__ import annotations

from typing import Any, Literal

import bpy

from ...imaging.colour import THEMES, srgb
from ..materials import scene_colours

ShadingMode = Literal["baked", "preview"]
PLAIN = ("show_xray", "show_shadows", "show_cavity", "show_object_outline", "use_dof")
"""What solid shading would put on top."""
GAMMA = 2.2
"""The background of a view is shown by this power and not by the sRGB curve."""
SETTINGS: dict[ShadingMode, dict[str, Any]] = {
    "baked": {"type": "SOLID", "light": "FLAT", "color_type": "TEXTURE", "background_type": "VIEWPORT",
              **dict.fromkeys(PLAIN, False)},
    "preview": {"type": "MATERIAL", "use_scene_lights": True, "use_scene_world": True},
}  # fmt: skip
"""In this order they are set, because some belong to a type, and a light takes some colours away."""


def set_shading(scene: bpy.types.Scene, shading: bpy.types.View3DShading, how: ShadingMode) -> dict[str, Any]:
    """Shade as "baked" or as "preview" for the scene's look; returns what was there, for `put_back`."""
    wanted = SETTINGS[how]
    if how == "baked":
        floor = srgb(
            THEMES[scene_colours.read_scene_colours(scene)["theme"]]["floor"]
        )  # as no air hides where that ends
        wanted = wanted | {"background_color": tuple(floor**GAMMA)}
    held = {name: _value(shading, name) for name in wanted}
    _set(shading, wanted)
    return held


def restore_shading(shading: bpy.types.View3DShading, held: dict[str, Any]) -> None:
    """Shade as before `shade`."""
    _set(shading, {name: value for name, value in held.items() if name != "type"} | {"type": held["type"]})


def _value(shading: bpy.types.View3DShading, name: str) -> Any:
    value = getattr(shading, name)
    return tuple(value) if name == "background_color" else value


def _set(shading: bpy.types.View3DShading, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(shading, name, value)
