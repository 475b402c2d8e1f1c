"""The sidebar's Colours panel: it edits the colours stored in the hall's own properties, and keeps no copy of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel

from ...properties import LOOK_SETTING
from ..common.operators import ActionOperator, NeedsHall
from ..common.panels import HallPanel

Items = tuple[tuple[str, str, str], ...]
SETTINGS = ("colour_map", "normalisation", "gain", "theme")
DESCRIPTIONS = {
    "signed": "Blue below zero, white above it, zero is black",
    "paper": "For print: zero is white",
    "ember": "From black at zero to bright at the peak",
    "channel": "Divide each channel by its own peak",
    "layer": "Divide all channels of a layer by the layer's peak",
    "network": "Divide all layers by the largest peak",
    "dark": "A dark hall",
}


@cache
def _items(setting: str) -> Items:
    """Returns a setting's choices; cached, because Blender keeps no reference to the texts of dynamic lists."""
    from ...imaging import colour_maps
    from ...scene.materials.colour_settings import NORMALISATIONS

    names = {"colour_map": colour_maps.COLOUR_MAPS, "normalisation": NORMALISATIONS, "theme": colour_maps.THEMES}
    return tuple((name, name.capitalize(), DESCRIPTIONS[name]) for name in names[setting])


def _choice(setting: str, name: str, description: str, **options: Any) -> Any:
    def items(owner: Any, context: bpy.types.Context) -> Items:
        return _items(setting)

    return bpy.props.EnumProperty(name=name, description=description, items=items, **options)


def _colour_map(**options: Any) -> Any:
    return _choice("colour_map", "Colour Map", "Colours of the values", **options)


def _normalisation(**options: Any) -> Any:
    return _choice("normalisation", "Peak", "What values are divided by", **options)


def _gain(**options: Any) -> Any:
    description = "Values are multiplied by this before they are coloured"
    return bpy.props.FloatProperty(
        name="Gain", description=description, default=1.0, min=1e-6, max=1e6, soft_max=20, **options
    )


def _theme(**options: Any) -> Any:
    return _choice("theme", "Theme", "Colours of the room", **options)


class INNERWALK_OT_show_look(NeedsHall, ActionOperator):
    """Change the colours of the hall"""

    bl_idname = "innerwalk.show_look"
    bl_label = "Change Colours"

    colour_map: _colour_map(options={"SKIP_SAVE"})
    normalisation: _normalisation(options={"SKIP_SAVE"})
    gain: _gain(options={"SKIP_SAVE"})
    theme: _theme(options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks, starting from the present colours."""
        for setting in SETTINGS:
            setattr(self, setting, getattr(context.scene, LOOK_SETTING.format(setting)))
        return set(context.window_manager.invoke_props_dialog(self))

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Leaves out what isn't set."""
        return {name: getattr(self, name) for name in SETTINGS if self.properties.is_property_set(name)}


class INNERWALK_OT_look_preset_add(AddPresetBase, bpy.types.Operator):
    """Add or remove a preset of the hall's colours"""

    bl_idname = "innerwalk.look_preset_add"
    bl_label = "Add Colours Preset"
    preset_menu = "INNERWALK_PT_look_presets"
    preset_subdir = "innerwalk/look"
    preset_defines = ("scene = bpy.context.scene",)
    preset_values = tuple(  # the theme first, because it brings its own colour map
        "scene." + LOOK_SETTING.format(name) for name in ("theme", "colour_map", "normalisation", "gain")
    )


class INNERWALK_PT_look_presets(PresetPanel, bpy.types.Panel):
    """Presets of the hall's colours"""

    bl_label = "Colours"
    preset_subdir = "innerwalk/look"
    preset_operator = "script.execute_preset"
    preset_add_operator = "innerwalk.look_preset_add"


class INNERWALK_PT_look(HallPanel, bpy.types.Panel):
    """The colours of the hall"""

    bl_label = "Colours"
    bl_order = 35

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Draws the menu of presets."""
        INNERWALK_PT_look_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the settings."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        for setting in SETTINGS:
            self.layout.prop(context.scene, LOOK_SETTING.format(setting))


def _getter(setting: str) -> Callable[[bpy.types.Scene], Any]:
    def get(scene: bpy.types.Scene) -> Any:
        from ...scene.materials.colour_settings import read_scene_colours

        value = read_scene_colours(scene)[setting]
        return value if setting == "gain" else _names(setting).index(value)

    return get


def _setter(setting: str) -> Callable[[bpy.types.Scene, Any], None]:
    def set_value(scene: bpy.types.Scene, value: Any) -> None:
        from ...actions import show_look

        show_look(scene, **{setting: value if setting == "gain" else _names(setting)[value]})

    return set_value


def _names(setting: str) -> list[str]:
    return [name for name, _, _ in _items(setting)]


def _stored_in_hall(setting: str) -> dict[str, Any]:
    return {"get": _getter(setting), "set": _setter(setting), "options": set()}


CLASSES = (
    INNERWALK_OT_show_look,
    INNERWALK_OT_look_preset_add,
    INNERWALK_PT_look_presets,
    INNERWALK_PT_look,
)
PROPERTIES = tuple(
    (bpy.types.Scene, LOOK_SETTING.format(setting), new_property(**_stored_in_hall(setting)))
    for setting, new_property in (
        ("colour_map", _colour_map),
        ("normalisation", _normalisation),
        ("gain", _gain),
        ("theme", _theme),
    )
)
