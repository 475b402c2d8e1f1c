"""Operators that take channels away from a hall's network and give them back, and their buttons."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ...properties import (ABLATED_CHANNELS, NETWORK_NAME, SELECTED_CHANNEL, SELECTED_LAYER)
from ..bridge.input_panel import Looks
from ..common.operators import attempt
from .panel_operators import OnLayer

DIGITS = 6
"""Of a channel's number: no layer has so many."""


def numbers(text: str) -> list[int]:
    """ "0, 5" -> [0, 5]. Raises InputError."""
    from ....torch_bridge.recording.errors import InputError

    found = [one.strip() for one in text.split(",") if one.strip()]
    if not all(one.isdecimal() and len(one) <= DIGITS for one in found):
        raise InputError(f"{text[:40]!r} is no list of channels; 0,5,7 would be")
    return [int(one) for one in found]


CHANNELS: dict[str, Any] = {"name": "Channels", "options": {"SKIP_SAVE"}}


class INNERWALK_OT_ablate(Looks, OnLayer, bpy.types.Operator):
    """Take channels away from the network: they are 0, and panels and answer show what it says without them"""

    bl_idname = "innerwalk.ablate"
    bl_label = "Ablate Channels"
    bl_options = {"REGISTER", "UNDO"}

    channels: bpy.props.StringProperty(description="Numbers with commas between them, such as 0,5,7", **CHANNELS)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask which."""
        if self.properties.is_property_set("channels"):
            return self.execute(context)
        self.channels = str(max(0, context.scene.get(SELECTED_CHANNEL, 0)))
        return set(context.window_manager.invoke_props_dialog(self))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take them away."""
        from ...actions import ablate

        return attempt(self, lambda: ablate(context.scene, self.chosen(context), numbers(self.channels)))


class INNERWALK_OT_ablate_selected(Looks, bpy.types.Operator):
    """Take this channel away from the network: it is 0, and panels and answer show what it says without it"""

    bl_idname = "innerwalk.ablate_selected"
    bl_label = "Ablate Selected Channel"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it away."""
        from ...actions import ablate_selected

        return attempt(self, lambda: ablate_selected(context.scene))


class INNERWALK_OT_restore_channels(Looks, bpy.types.Operator):
    """Give channels back that were taken away from the network"""

    bl_idname = "innerwalk.restore_channels"
    bl_label = "Restore Ablated Channels"
    bl_options = {"REGISTER", "UNDO"}

    layer: bpy.props.StringProperty(
        name="Layer", description="Id of the layer; empty: all layers", options={"SKIP_SAVE"}
    )
    channels: bpy.props.StringProperty(description="Numbers with commas between them; empty: all", **CHANNELS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Give them back."""
        from ...actions import restore_channels

        return attempt(self, lambda: restore_channels(context.scene, self.layer, numbers(self.channels)))


def draw(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Buttons for the channel that is looked at, and for all that are away; none without a bridge."""
    if not scene.get(NETWORK_NAME):
        return
    away = json.loads(scene.get(ABLATED_CHANNELS, "{}"))
    layer, channel = scene.get(SELECTED_LAYER, ""), int(scene.get(SELECTED_CHANNEL, -1))
    row = layout.row(align=True)
    if channel in away.get(layer, ()):
        button = row.operator("innerwalk.restore_channels", text="Restore Channel", icon="CHECKBOX_DEHLT")
        button.layer, button.channels = layer, str(channel)
    elif channel >= 0:
        row.operator("innerwalk.ablate_selected", text="Ablate Channel", icon="CHECKBOX_HLT")
    if away:
        count = sum(map(len, away.values()))
        row.operator("innerwalk.restore_channels", text=f"Restore All ({count})", icon="LOOP_BACK")


CLASSES = (INNERWALK_OT_ablate, INNERWALK_OT_ablate_selected, INNERWALK_OT_restore_channels)
