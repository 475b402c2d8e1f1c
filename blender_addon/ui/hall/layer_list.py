"""The sidebar's list of layers: search, select, jump, hide, solo, collapse and expand."""

from __future__ import annotations

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...properties import (
    HALL_ROLE,
    HALL_VERSION,
    LAYER_LIST_ROW,
    OBJECT_ROLE,
    PANEL_BLOCK,
    PANEL_HIDDEN,
    PANEL_LAYER_ID,
    PANEL_ORDER,
    PANEL_ROLE,
    SELECTED_LAYER,
    SOLO_LAYER,
)
from ..common.operators import ActionOperator, NeedsHall
from ..common.panels import HallPanel
from ..common.translating import translated

NAME_SHARE = 0.5
"""Share of a row that the name takes."""


class INNERWALK_UL_layers(bpy.types.UIList):
    """The panels of a hall in the network's order"""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.Collection,
        item: bpy.types.Object,
        icon: int,
        active_data: bpy.types.Scene,
        active_property: str,
        index: int = 0,
        flags: int = 0,
    ) -> None:
        """Draws the layer's id, its shape and its buttons."""
        layer, solo_layer = item[PANEL_LAYER_ID], context.scene.get(SOLO_LAYER, "")
        hidden, is_solo = bool(item.get(PANEL_HIDDEN)), solo_layer == layer
        split = layout.split(factor=NAME_SHARE)
        split.active = not hidden and solo_layer in ("", layer)
        split.label(text=elided(item.get(PANEL_BLOCK, layer), _name_length(context)), translate=False)
        row = split.row(align=True)
        row.label(text=shape_label(context.scene, layer))
        if PANEL_BLOCK in item:
            row.operator("innerwalk.expand", text="", icon="FULLSCREEN_ENTER", emboss=False).block = item[PANEL_BLOCK]
        solo = row.operator("innerwalk.solo", text="", icon="SOLO_ON" if is_solo else "SOLO_OFF", emboss=False)
        solo.layer = "" if is_solo else layer
        hide = row.operator("innerwalk.hide", text="", icon="HIDE_ON" if hidden else "HIDE_OFF", emboss=False)
        hide.layer, hide.hidden = layer, not hidden

    def filter_items(
        self, context: bpy.types.Context, data: bpy.types.Collection, property: str
    ) -> tuple[list[int], list[int]]:
        """Returns flags of the panels whose layer or labels match the search, and their order."""
        items = getattr(data, property)
        flags = [self._flag(item) for item in items]
        key, default = (PANEL_LAYER_ID, "") if self.use_filter_sort_alpha else (PANEL_ORDER, 0)
        keys = [item.get(key, default) for item in items]
        return flags, bpy.types.UI_UL_list.sort_items_helper(list(enumerate(keys)), key=lambda pair: pair[1])

    def _flag(self, item: bpy.types.Object) -> int:
        if item.get(OBJECT_ROLE) != PANEL_ROLE:
            return self.bitflag_item_never_show
        if self.filter_name.lower() in item[PANEL_LAYER_ID].lower():
            return self.bitflag_filter_item
        from ...scene.panels.label_search import has_label

        return self.bitflag_filter_item if has_label(item, self.filter_name) else 0


def _labels(operator: bpy.types.Operator, context: bpy.types.Context, text: str) -> list[str]:
    from ...scene.panels.label_search import label_names

    found = label_names(context.scene) if HALL_VERSION in context.scene else []
    return [name for name in found if text.lower() in name.lower()]


class INNERWALK_OT_find_label(NeedsHall, ActionOperator):
    """Select the next channel with a label, such as the concept that it detects, and move the view to its panel"""

    bl_idname = "innerwalk.find_label"
    bl_label = "Find Label"

    text: bpy.props.StringProperty(
        name="Label",
        description="Part of the label; again for the next channel that has it",
        search=_labels,
        search_options={"SUGGESTION"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the label; the last one is filled in."""
        return set(context.window_manager.invoke_props_dialog(self))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Selects the channel; the view of a window moves to its panel."""
        from ...actions import selected
        from ...actions.viewing import view_panel

        found = super().execute(context)
        if found == {"FINISHED"} and not bpy.app.background:
            try:
                view_panel(context.scene, selected(context.scene).layer)
            except InnerwalkError as error:
                self.report({"ERROR"}, str(error))
        return found


class INNERWALK_PT_layers(HallPanel, bpy.types.Panel):
    """The layers of the hall"""

    bl_label = "Layers"
    bl_order = 30

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the list and the buttons for blocks."""
        collection = hall_collection(context.scene)
        if collection is None:
            self.layout.label(text="The hall's collection is missing", icon="ERROR")
            return
        self.layout.template_list(
            "INNERWALK_UL_layers", "", collection, "objects", context.scene, LAYER_LIST_ROW, rows=8
        )
        row = self.layout.row(align=True)
        row.menu("INNERWALK_MT_collapse")
        row.operator("innerwalk.expand", text=translated("Expand"))
        row.operator("innerwalk.find_label", text="", icon="VIEWZOOM")
        row.operator("innerwalk.reset_layout", text="", icon="LOOP_BACK")


def shape_label(scene: bpy.types.Scene, layer: str) -> str:
    """Returns "64×56²" or "64×56×40", for a vector its length: of the activations; "" if unknown."""
    from ....torch_bridge.recording.errors import InnerwalkError
    from ...scene.hall.store import read_description

    try:
        channels, height, width = read_description(scene).network.layer(layer).map_shape
    except InnerwalkError:
        return ""
    if height == width:
        return f"{channels}×{height}²" if height > 1 else str(channels)
    return f"{channels}×{height}×{width}"


def elided(name: str, length: int) -> str:
    """Returns a name in at most so many characters; its beginning is left out, as layers differ at their ends."""
    return name if len(name) <= length else f"…{name[len(name) - length + 1 :]}"


def _name_length(context: bpy.types.Context) -> int:
    """Returns how many characters of a name are seen in the sidebar: one takes some 7 pixels at scale 1, margins 50."""
    width = context.region.width / context.preferences.system.ui_scale - 50
    return max(8, int(NAME_SHARE * width / 7) - 1)


def hall_collection(scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """Returns the hall's collection, None if it was deleted: draw() must not make a new one."""
    return next((child for child in scene.collection.children if child.get(OBJECT_ROLE) == HALL_ROLE), None)


def _get_row(scene: bpy.types.Scene) -> int:
    """Returns the index of the selected layer among the collection's objects, -1 for none."""
    collection, layer = hall_collection(scene), scene.get(SELECTED_LAYER, "")
    if collection is None or not layer:
        return -1
    is_selected = (item.get(OBJECT_ROLE) == PANEL_ROLE and item[PANEL_LAYER_ID] == layer for item in collection.objects)
    return next((row for row, selected in enumerate(is_selected) if selected), -1)


def _set_row(scene: bpy.types.Scene, row: int) -> None:
    """Selects the layer of a row; jumps to it if it is selected already."""
    from ...actions import jump, select, selected

    collection = hall_collection(scene)
    item = collection.objects[row] if collection and 0 <= row < len(collection.objects) else None
    if item is not None and item.get(OBJECT_ROLE) == PANEL_ROLE:
        layer = item[PANEL_LAYER_ID]
        (jump if selected(scene).layer == layer else select)(scene, layer)


_row = bpy.props.IntProperty(  # type: ignore[func-returns-value]
    name="Layer", description="Click to select the layer, click again to jump to it", get=_get_row, set=_set_row
)
CLASSES = (INNERWALK_OT_find_label, INNERWALK_UL_layers, INNERWALK_PT_layers)
PROPERTIES = ((bpy.types.Scene, LAYER_LIST_ROW, _row),)
