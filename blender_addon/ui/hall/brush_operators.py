"""Operators of the brush that changes a network's channels at a place, and their buttons."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ....torch_bridge.recording.channels import parse_channels
from ....torch_bridge.recording.errors import InnerwalkError, InputError
from ...properties import BRUSH, HALL_VERSION, NETWORK_NAME, STROKES
from ..common.operators import ActionOperator, LayerOperator, NeedsHall, NeedsNetwork
from ..common.text_lines import draw_lines
from ..common.translating import translated
from .ablation_operators import find_concepts

INSERT = bpy.props.BoolProperty(
    name="Insert",
    description="Give the channels the value that they have where they are active; otherwise 0",
    options={"SKIP_SAVE"},
)


class INNERWALK_OT_take_brush(NeedsNetwork, ActionOperator):
    """Take a brush that changes channels of the network where you click on a tile; what follows is computed again"""

    bl_idname = "innerwalk.take_brush"
    bl_label = "Take Brush"

    layer: bpy.props.StringProperty(
        name="Layer", description="Id of the layer; empty for the selected one", options={"SKIP_SAVE"}
    )
    channels: bpy.props.StringProperty(
        name="Channels",
        description="Numbers and ranges, such as 0,3,8-11; empty for the selected one",
        options={"SKIP_SAVE"},
    )
    concept: bpy.props.StringProperty(
        name="Concept",
        description="Instead of channels: all of a layer that detect this concept",
        search=find_concepts,
        options={"SKIP_SAVE"},
    )
    insert: INSERT
    size: bpy.props.FloatProperty(
        name="Size", description="Diameter as a share of the picture's side", default=0.25, min=0.01, max=2.0
    )

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Parses the channels. Raises InputError."""
        return super().arguments(context) | {"channels": parse_channels(self.channels)}


class INNERWALK_OT_put_brush_away(NeedsHall, ActionOperator):
    """Put the brush away, so that clicks select tiles again"""

    bl_idname = "innerwalk.put_brush_away"
    bl_label = "Put Brush Away"


class INNERWALK_OT_paint(NeedsNetwork, LayerOperator):
    """Change channels of a layer at some places of their maps; the panels and the picture follow"""

    bl_idname = "innerwalk.paint"
    bl_label = "Paint on Maps"

    channels: bpy.props.StringProperty(
        name="Channels", description="Numbers and ranges, such as 0,3,8-11", options={"SKIP_SAVE"}
    )
    cells: bpy.props.StringProperty(
        name="Places", description="Rows and columns as JSON, such as [[4, 4], [4, 5]]", options={"SKIP_SAVE"}
    )
    insert: INSERT

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Parses channels and places. Raises InputError."""
        try:
            cells = json.loads(self.cells or "[]")
            places = [(int(row), int(column)) for row, column in cells]
        except (ValueError, TypeError):
            raise InputError(f"places {self.cells[:40]!r}: write rows and columns like [[4, 4], [4, 5]]") from None
        return super().arguments(context) | {"channels": parse_channels(self.channels), "cells": places}


class INNERWALK_OT_paint_at(NeedsNetwork, ActionOperator):
    """Paint with the brush at a place of the picture"""

    bl_idname = "innerwalk.paint_at"
    bl_label = "Paint at a Place"

    across: bpy.props.FloatProperty(
        name="Across", description="Share of the picture from its left", default=0.5, min=0, max=1
    )
    down: bpy.props.FloatProperty(
        name="Down", description="Share of the picture from its top", default=0.5, min=0, max=1
    )


class INNERWALK_OT_clear_strokes(NeedsNetwork, ActionOperator):
    """Take back everything that the brush has painted in this hall"""

    bl_idname = "innerwalk.clear_strokes"
    bl_label = "Clear Strokes"

    count: bpy.props.IntProperty(
        name="Count", description="How many of the last strokes; 0 for all", default=0, min=0, options={"SKIP_SAVE"}
    )


class INNERWALK_OT_drag_brush(bpy.types.Operator):
    """Paint with the brush while the mouse button is held"""

    bl_idname = "innerwalk.drag_brush"
    bl_label = "Paint"
    bl_options = {"INTERNAL", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a brush is held in a hall in object mode."""
        scene = context.scene
        return HALL_VERSION in scene and BRUSH in scene and bool(scene.get(NETWORK_NAME)) and context.mode == "OBJECT"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Starts a stroke on a tile; passes all other clicks on."""
        from ...live.stored_choices import painted_strokes

        spot = self._spot(context, event)
        if spot is None:
            return {"PASS_THROUGH"}
        try:
            self._before: list[dict[str, Any]] = painted_strokes(context.scene)
        except InnerwalkError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self._spots: list[tuple[float, float]] = []
        if not self._paint(context, spot):
            return {"CANCELLED"}
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Lengthens the stroke while the mouse moves; ends it with the button."""
        if event.type == "LEFTMOUSE" and event.value == "RELEASE":
            return {"FINISHED"}
        if event.type == "MOUSEMOVE":
            spot = self._spot(context, event)
            if spot is not None and not self._paint(context, spot):
                return {"FINISHED"}
        return {"RUNNING_MODAL"}

    def _spot(self, context: bpy.types.Context, event: bpy.types.Event) -> tuple[float, float] | None:
        """Returns the place on the tile under the cursor, as shares of the picture; None beside tiles."""
        from ...actions.clicking import brush_spot
        from ...scene.hall.ray_hits import pick_at

        if context.region is None or context.region.type != "WINDOW" or context.region_data is None:
            return None
        hit = pick_at(context, event.mouse_region_x, event.mouse_region_y)
        return brush_spot(context.scene, hit) if hit is not None else None

    def _paint(self, context: bpy.types.Context, spot: tuple[float, float]) -> bool:
        from ...actions.ablating import paint_along
        from ...live.timer import show_fast_answer

        self._spots.append(spot)
        try:
            self.report({"INFO"}, paint_along(context.scene, self._spots, self._before))
        except InnerwalkError as error:
            self.report({"ERROR"}, str(error))
            return False
        show_fast_answer()
        return True


def draw_brush(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draws buttons to take a brush of the selected channel, or the brush that is held, and to clear strokes."""
    if not scene.get(NETWORK_NAME):
        return
    from ...actions.ablating import describe_brush
    from ...live.stored_choices import held_brush, painted_strokes
    from ...scene.hall.ray_hits import map_shape
    from ...scene.panels import find_panel, shows_channels
    from ...scene.state.selection import selected

    try:
        brush, count = held_brush(scene), len(painted_strokes(scene)) if STROKES in scene else 0
    except InnerwalkError as error:  # a stranger's file
        draw_lines(layout, str(error), "ERROR")
        return
    layer, channel = selected(scene)
    panel = find_panel(scene, layer)
    if brush is not None:
        layout.operator(
            "innerwalk.put_brush_away",
            text=translated("Put Away: {brush}", brush=describe_brush(brush)),
            icon="BRUSH_DATA",
            translate=False,
        )
    elif panel is not None and channel >= 0 and shows_channels(panel) and min(map_shape(panel)) > 1:
        row = layout.row(align=True)
        row.operator("innerwalk.take_brush", text="Brush: Ablate", icon="BRUSH_DATA").insert = False
        row.operator("innerwalk.take_brush", text="Brush: Insert", icon="ADD").insert = True
        _draw_concept_brush(layout, panel, layer, channel)
    if count:
        layout.operator(
            "innerwalk.clear_strokes", text=translated("Clear Strokes ({count})", count=count), icon="LOOP_BACK"
        )


def _draw_concept_brush(layout: bpy.types.UILayout, panel: bpy.types.Object, layer: str, channel: int) -> None:
    """Draws the same for all channels of the layer that detect what the selected one does."""
    from ...scene.panels.concepts import read_concepts

    concept = read_concepts(panel).get(channel)
    if concept is None:
        return
    row = layout.row(align=True)
    for insert, does in ((False, "Ablate"), (True, "Insert")):
        text = translated("{does} {concept}", does=translated(does), concept=concept.name)
        button = row.operator("innerwalk.take_brush", text=text, icon="GROUP_VERTEX", translate=False)
        button.concept, button.layer, button.insert = concept.name, layer, insert


CLASSES = (
    INNERWALK_OT_take_brush,
    INNERWALK_OT_put_brush_away,
    INNERWALK_OT_paint,
    INNERWALK_OT_paint_at,
    INNERWALK_OT_clear_strokes,
    INNERWALK_OT_drag_brush,
)
KEYS = (("Object Mode", "EMPTY", INNERWALK_OT_drag_brush.bl_idname, "LEFTMOUSE", "PRESS"),)
"""A press, so that a drag paints; without a brush it is passed on."""
