"""The sidebar's colours: the hall's own properties are shown and set, nothing is kept twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel

from ...properties import (HALL_VERSION, LOOK_SETTING)
from ..common.operators import attempt
from .panel_operators import InHall

Items = tuple[tuple[str, str, str], ...]
PARTS = ("ramp", "normalisation", "gain", "theme")


@cache
def _items(part: str) -> Items:
    """What can be chosen; kept, because Blender doesn't keep the words of a list that is asked for."""
    from ...imaging import colour
    from ...scene.materials.look import NORMALISATIONS

    known = {"ramp": colour.RAMPS, "normalisation": NORMALISATIONS, "theme": colour.THEMES}[part]
    return tuple((name, name.capitalize(), TOLD[name]) for name in known)


TOLD = {
    "signed": "Blue below zero, white above it, zero is black", "paper": "For print: zero is white",
    "ember": "From black at zero to bright at the peak", "channel": "Each channel by its own peak",
    "layer": "All channels of a layer by its peak", "network": "All layers by the largest peak", "dark": "A dark hall",
}  # fmt: skip


def _choice(part: str, name: str, description: str, **more: Any) -> Any:
    return bpy.props.EnumProperty(
        name=name, description=description, items=lambda self, context: _items(part), **more
    )  # fmt: skip


def _gain(**more: Any) -> Any:
    told = "Values are multiplied by this before they are coloured"
    return bpy.props.FloatProperty(name="Gain", description=told, default=1.0, min=1e-6, max=1e6, soft_max=20, **more)


class INNERWALK_OT_show_look(InHall, bpy.types.Operator):
    """Change the colours of the hall"""

    bl_idname = "innerwalk.show_look"
    bl_label = "Change Colours"
    bl_options = {"REGISTER", "UNDO"}

    ramp: _choice("ramp", "Colour Map", "Colours of the values", options={"SKIP_SAVE"})
    normalisation: _choice("normalisation", "Peak", "What a value is divided by", options={"SKIP_SAVE"})
    gain: _gain(options={"SKIP_SAVE"})
    theme: _choice("theme", "Theme", "Colours of the room", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask, from how it is now."""
        for part in PARTS:
            setattr(self, part, getattr(context.scene, LOOK_SETTING.format(part)))
        return set(context.window_manager.invoke_props_dialog(self))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change what was said."""
        from ...actions import show_look

        said = {part: getattr(self, part) for part in PARTS if self.properties.is_property_set(part)}
        return attempt(self, lambda: show_look(context.scene, **said))


class INNERWALK_OT_look_preset_add(AddPresetBase, bpy.types.Operator):
    """Keep these colours under a name, or forget them"""

    bl_idname = "innerwalk.look_preset_add"
    bl_label = "Add Colours Preset"
    preset_menu = "INNERWALK_PT_look_presets"
    preset_subdir = "innerwalk/look"
    preset_defines = ("scene = bpy.context.scene",)
    preset_values = tuple("scene." + LOOK_SETTING.format(part) for part in ("theme", "ramp", "normalisation", "gain"))


class INNERWALK_PT_look_presets(PresetPanel, bpy.types.Panel):
    """Colours that were kept"""

    bl_label = "Colours"
    preset_subdir = "innerwalk/look"
    preset_operator = "script.execute_preset"
    preset_add_operator = "innerwalk.look_preset_add"


class INNERWALK_PT_look(bpy.types.Panel):
    """The colours of the hall"""

    bl_label = "Look"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"
    bl_order = 35

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall."""
        return HALL_VERSION in context.scene

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """The menu of presets."""
        INNERWALK_PT_look_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """What can be set."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        for part in PARTS:
            self.layout.prop(context.scene, LOOK_SETTING.format(part))


def _getter(part: str) -> Callable[[bpy.types.Scene], Any]:
    def get(scene: bpy.types.Scene) -> Any:
        from ...scene.materials.look import told

        return told(scene)[part] if part == "gain" else _names(part).index(told(scene)[part])

    return get


def _setter(part: str) -> Callable[[bpy.types.Scene, Any], None]:
    def put(scene: bpy.types.Scene, value: Any) -> None:
        from ...actions import show_look

        show_look(scene, **{part: value if part == "gain" else _names(part)[value]})

    return put


def _names(part: str) -> list[str]:
    return [name for name, _, _ in _items(part)]


def _bound(part: str) -> dict[str, Any]:
    return {"get": _getter(part), "set": _setter(part), "options": set()}


CLASSES = (
    INNERWALK_OT_show_look, INNERWALK_OT_look_preset_add, INNERWALK_PT_look_presets, INNERWALK_PT_look,
)  # fmt: skip
PROPERTIES = tuple(
    (bpy.types.Scene, LOOK_SETTING.format(part), setting)
    for part, setting in (
        ("ramp", _choice("ramp", "Colour Map", "Colours of the values", **_bound("ramp"))),
        ("normalisation", _choice("normalisation", "Peak", "What a value is divided by", **_bound("normalisation"))),
        ("gain", _gain(**_bound("gain"))),
        ("theme", _choice("theme", "Theme", "Colours of the room", **_bound("theme"))),
    )
)
