"""Operators that key shots of a film in a hall, and play them."""

from __future__ import annotations

from typing import Any

import bpy

from ...properties import SELECTED_CHANNEL, SELECTED_LAYER
from ..common.operators import ActionOperator, NeedsHall
from ..common.translating import translated

KINDS = (
    ("tour", "Tour", "Walk from the entrance to the answer along the data"),
    (
        "forward",
        "Forward",
        "Walk as the pass through the network does, which lights up its layers one after the other",
    ),
    ("orbit", "Orbit", "Go around the selected panel, or around the hall's beginning"),
    ("dolly", "Dolly", "Go to the selected panel and into a tile, or to the answer"),
    ("follow", "Follow", "Go from the panels that a channel is computed from into its tile"),
    (
        "series",
        "Series",
        "Show the entries of the open series while the camera goes to the selected panel or the answer",
    ),
    ("split", "Split", "Walk through this hall and a second one in step, for two pictures side by side"),
)
ABOUT_LAYER = ("orbit", "dolly", "follow", "series")
"""Kinds that are about the selected layer, if one is selected."""


class INNERWALK_OT_key_shot(NeedsHall, ActionOperator):
    """Key camera, light or series of the hall for a shot of a film; the keyframes can be edited"""

    bl_idname = "innerwalk.key_shot"
    bl_label = "Key Shot"

    kind: bpy.props.EnumProperty(name="Kind", description="How the camera moves", items=KINDS)
    layer: bpy.props.StringProperty(name="Layer", description="Id of the layer; empty for the selected one")
    channel: bpy.props.IntProperty(
        name="Channel", description="-1 for the selected or a strong one", default=-1, min=-1
    )
    seconds: bpy.props.FloatProperty(name="Seconds", description="Duration; 0 for what the way takes", min=0, max=3600)
    speed: bpy.props.FloatProperty(
        name="Speed", description="Greatest speed, metres a second", default=1.4, min=0.1, max=3
    )
    first: bpy.props.IntProperty(name="First Frame", description="Frame at which the shot begins", default=1, min=0)
    beside: bpy.props.StringProperty(
        name="Beside", description="Name of the second hall of a split; empty for the only other one"
    )

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Fills in the selected layer and channel."""
        found = super().arguments(context)
        if self.kind not in ABOUT_LAYER:
            return found | {"layer": ""}
        layer = self.layer or str(context.scene.get(SELECTED_LAYER, ""))
        selected = layer == context.scene.get(SELECTED_LAYER) and self.channel < 0
        return found | {
            "layer": layer,
            "channel": int(context.scene.get(SELECTED_CHANNEL, -1)) if selected else self.channel,
        }


class INNERWALK_OT_preview_film(NeedsHall, ActionOperator):
    """Play the keyed camera in the 3D view"""

    bl_idname = "innerwalk.preview_film"
    bl_label = "Preview"
    bl_options = {"REGISTER"}


class INNERWALK_MT_film(bpy.types.Menu):
    """Shots of a film: each makes keyframes"""

    bl_label = "Film"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws an entry for each kind of shot."""
        for kind, name, _ in KINDS:
            self.layout.operator("innerwalk.key_shot", text=translated(name)).kind = kind
        self.layout.separator()
        self.layout.operator("innerwalk.preview_film")


CLASSES = (INNERWALK_OT_key_shot, INNERWALK_OT_preview_film, INNERWALK_MT_film)
