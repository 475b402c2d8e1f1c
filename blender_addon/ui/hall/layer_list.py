"""The sidebar's list of layers: search, select, jump, hide, solo, collapse and expand."""

from __future__ import annotations

import bpy

from ...properties import (HALL_ROLE, HALL_VERSION, LAYER_LIST_ROW, OBJECT_ROLE, PANEL_BLOCK, PANEL_HIDDEN, PANEL_LAYER_ID, PANEL_ORDER, PANEL_ROLE, SELECTED_LAYER, SOLO_LAYER)


class INNERWALK_UL_layers(bpy.types.UIList):
    """The panels of a hall in the order of the network"""

    def draw_item(
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: bpy.types.Collection,
        item: bpy.types.Object, icon: int, active_data: bpy.types.Scene, active_property: str, index: int = 0,
        flags: int = 0,
    ) -> None:  # fmt: skip
        """Id, shape, and what can be done with it."""
        layer, alone = item[PANEL_LAYER_ID], context.scene.get(SOLO_LAYER, "")
        unseen = bool(item.get(PANEL_HIDDEN)) or alone not in ("", layer)
        split = layout.split(factor=0.5)
        split.active = not unseen
        split.label(text=item.get(PANEL_BLOCK, layer))
        row = split.row(align=True)
        row.label(text=shape(item))
        if PANEL_BLOCK in item:
            row.operator("innerwalk.expand", text="", icon="FULLSCREEN_ENTER", emboss=False).block = item[PANEL_BLOCK]
        solo = row.operator("innerwalk.solo", text="", icon="SOLO_ON" if alone == layer else "SOLO_OFF", emboss=False)
        solo.layer = "" if alone == layer else layer
        hidden = bool(item.get(PANEL_HIDDEN))
        hide = row.operator("innerwalk.hide", text="", icon="HIDE_ON" if hidden else "HIDE_OFF", emboss=False)
        hide.layer, hide.hidden = layer, not hidden

    def filter_items(
        self, context: bpy.types.Context, data: bpy.types.Collection, property: str
    ) -> tuple[list[int], list[int]]:  # fmt: skip
        """Panels whose id holds what is searched for, in the order of the network or of the alphabet."""
        items = getattr(data, property)
        flags = [self._flag(item) for item in items]
        named = self.use_filter_sort_alpha
        keys = [item.get(PANEL_LAYER_ID if named else PANEL_ORDER, "" if named else 0) for item in items]
        return flags, bpy.types.UI_UL_list.sort_items_helper(list(enumerate(keys)), key=lambda pair: pair[1])

    def _flag(self, item: bpy.types.Object) -> int:
        if item.get(OBJECT_ROLE) != PANEL_ROLE:
            return self.bitflag_item_never_show
        return self.bitflag_filter_item if self.filter_name.lower() in item[PANEL_LAYER_ID].lower() else 0


class INNERWALK_PT_layers(bpy.types.Panel):
    """The layers of the hall"""

    bl_label = "Layers"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"
    bl_order = 30

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall."""
        return HALL_VERSION in context.scene

    def draw(self, context: bpy.types.Context) -> None:
        """The list, and what is done with blocks."""
        hall = collection(context.scene)
        if hall is None:
            self.layout.label(text="The collection of the hall is gone", icon="ERROR")
            return
        self.layout.template_list("INNERWALK_UL_layers", "", hall, "objects", context.scene, LAYER_LIST_ROW, rows=8)
        row = self.layout.row(align=True)
        row.menu("INNERWALK_MT_collapse", text="Collapse")
        row.operator("innerwalk.expand", text="Expand")
        row.operator("innerwalk.reset_layout", text="", icon="LOOP_BACK")


def shape(panel: bpy.types.Object) -> str:
    """ "64×56²" or "64×56×40", and how many values a vector has; short, because sidebars are narrow."""
    from ...scene.hall.pick import map_shape

    (height, width), channels = map_shape(panel), len(panel.data.vertices)
    if height == width:
        return f"{channels}×{height}²" if height > 1 else str(channels)
    return f"{channels}×{height}×{width}"


def collection(scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """The hall's collection; drawing may not make one."""
    return next((one for one in scene.collection.children if one.get(OBJECT_ROLE) == HALL_ROLE), None)


def _row(scene: bpy.types.Scene) -> int:
    """Of the selected layer among the collection's objects; -1 for none."""
    hall, layer = collection(scene), scene.get(SELECTED_LAYER, "")
    rows = (
        k for k, one in enumerate(hall.objects) if one.get(OBJECT_ROLE) == PANEL_ROLE and one[PANEL_LAYER_ID] == layer
    )
    return next(rows, -1) if hall and layer else -1


def _set_row(scene: bpy.types.Scene, row: int) -> None:
    """Select the layer of a row; the second time, jump to it."""
    from ...actions import (jump, select, selected)

    hall = collection(scene)
    item = hall.objects[row] if hall and 0 <= row < len(hall.objects) else None
    if item is not None and item.get(OBJECT_ROLE) == PANEL_ROLE:
        layer = item[PANEL_LAYER_ID]
        (jump if selected(scene).layer == layer else select)(scene, layer)


_number = bpy.props.IntProperty(  # type: ignore[func-returns-value]
    name="Layer", description="Click to select, again to jump there", get=_row, set=_set_row
)
CLASSES = (INNERWALK_UL_layers, INNERWALK_PT_layers)
PROPERTIES = ((bpy.types.Scene, LAYER_LIST_ROW, _number),)
