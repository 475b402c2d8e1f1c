"""Operators that ablate channels of a hall's network and restore them, and their buttons."""

from __future__ import annotations

from typing import Any

import bpy

from ....torch_bridge.recording.channels import format_channels, parse_channels
from ....torch_bridge.recording.errors import SceneError
from ...properties import NETWORK_NAME, SELECTED_CHANNEL, SELECTED_LAYER
from ..common.operators import ActionOperator, LayerOperator, NeedsNetwork
from ..common.text_lines import draw_fact_lines, draw_lines
from ..common.translating import translated


class INNERWALK_OT_ablate(NeedsNetwork, LayerOperator):
    """Set channels of the network to 0; the panels and the answer show what it computes without them"""

    bl_idname = "innerwalk.ablate"
    bl_label = "Ablate Channels"

    channels: bpy.props.StringProperty(
        name="Channels", description="Numbers and ranges, such as 0,3,8-11", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the channels unless they are set."""
        if self.properties.is_property_set("channels"):
            return self.execute(context)
        self.channels = format_channels([max(0, context.scene.get(SELECTED_CHANNEL, 0))])
        return set(context.window_manager.invoke_props_dialog(self))

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Parses the channels. Raises InputError."""
        return super().arguments(context) | {"channels": parse_channels(self.channels)}


class INNERWALK_OT_ablate_selected(NeedsNetwork, ActionOperator):
    """Set this channel of the network to 0; the panels and the answer show what it computes without it"""

    bl_idname = "innerwalk.ablate_selected"
    bl_label = "Ablate Selected Channel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the hall follows a network and a channel is selected."""
        if not super().poll(context):
            return False
        from ...scene.panels import find_panel, shows_channels

        scene = context.scene
        panel = find_panel(scene, scene.get(SELECTED_LAYER, ""))
        cls.poll_message_set("Click a tile of a channel first")
        if panel is None or scene.get(SELECTED_CHANNEL, -1) < 0:
            return False
        cls.poll_message_set("The maps on this panel are no channels; show activations first")
        return shows_channels(panel)


def find_concepts(operator: bpy.types.Operator, context: bpy.types.Context, text: str) -> list[str]:
    """Returns the concepts that channels of the hall detect and whose names contain a text."""
    from ...scene.panels.label_search import concept_channels

    return [name for name in concept_channels(context.scene) if text.lower() in name.lower()]


class INNERWALK_OT_ablate_concept(NeedsNetwork, ActionOperator):
    """Set all channels to 0 that detect a concept; the panels and the answer show the network without them"""

    bl_idname = "innerwalk.ablate_concept"
    bl_label = "Ablate Concept"

    concept: bpy.props.StringProperty(
        name="Concept",
        description="Name of the concept, as Network Dissection has found it",
        search=find_concepts,
        options={"SKIP_SAVE"},
    )
    layer: bpy.props.StringProperty(
        name="Layer", description="Id of the layer; empty for all layers", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the concept unless it is set."""
        if self.properties.is_property_set("concept"):
            return self.execute(context)
        return set(context.window_manager.invoke_props_dialog(self))


class INNERWALK_OT_restore_channels(NeedsNetwork, ActionOperator):
    """Restore ablated channels of the network"""

    bl_idname = "innerwalk.restore_channels"
    bl_label = "Restore Ablated Channels"

    layer: bpy.props.StringProperty(
        name="Layer", description="Id of the layer; empty for all layers", options={"SKIP_SAVE"}
    )
    channels: bpy.props.StringProperty(
        name="Channels", description="Numbers and ranges, such as 0,3,8-11; empty for all", options={"SKIP_SAVE"}
    )

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Parses the channels. Raises InputError."""
        return {"layer": self.layer, "channels": parse_channels(self.channels)}


def draw_ablation(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draws buttons for the selected channel and for all ablated ones; none unless the hall follows a network."""
    if not scene.get(NETWORK_NAME):
        return
    from ...actions.ablating import ablation_facts
    from ...live.stored_choices import ablated_channels
    from ...scene.panels import find_panel, shows_channels

    try:
        ablated, facts = ablated_channels(scene), ablation_facts(scene)
    except SceneError as error:  # a stranger's file
        draw_lines(layout, str(error), "ERROR")
        return
    layer, channel = scene.get(SELECTED_LAYER, ""), int(scene.get(SELECTED_CHANNEL, -1))
    row = layout.row(align=True)
    if channel in ablated.get(layer, ()):
        button = row.operator("innerwalk.restore_channels", text="Restore Channel", icon="CHECKBOX_DEHLT")
        button.layer, button.channels = layer, format_channels([channel])
    elif channel >= 0 and (panel := find_panel(scene, layer)) is not None and shows_channels(panel):
        row.operator("innerwalk.ablate_selected", text="Ablate Channel", icon="CHECKBOX_HLT")
    if ablated:
        count = sum(map(len, ablated.values()))
        row.operator(
            "innerwalk.restore_channels", text=translated("Restore All ({count})", count=count), icon="LOOP_BACK"
        )
    _draw_concept(layout, scene, layer, channel, ablated)
    draw_fact_lines(layout, facts)


def _draw_concept(
    layout: bpy.types.UILayout, scene: bpy.types.Scene, layer: str, channel: int, ablated: dict[str, list[int]]
) -> None:
    """Draws the button that ablates all channels of the selected channel's concept, unless that is done."""
    from ...scene.panels import find_panel
    from ...scene.panels.concepts import read_concepts
    from ...scene.panels.label_search import concept_channels

    panel = find_panel(scene, layer)
    concept = read_concepts(panel).get(channel) if panel is not None else None
    if concept is None:
        return
    units = concept_channels(scene)[concept.name]
    if any(set(own) - set(ablated.get(id, ())) for id, own in units.items()):
        count = sum(map(len, units.values()))
        text = translated("Ablate {concept} ({count})", concept=concept.name, count=count)
        layout.operator(
            "innerwalk.ablate_concept", text=text, icon="GROUP_VERTEX", translate=False
        ).concept = concept.name


CLASSES = (
    INNERWALK_OT_ablate,
    INNERWALK_OT_ablate_selected,
    INNERWALK_OT_ablate_concept,
    INNERWALK_OT_restore_channels,
)
