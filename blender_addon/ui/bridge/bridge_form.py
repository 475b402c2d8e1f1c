"""The form of a bridge that is to be started or joined: in the sidebar, and the same in the preferences."""

from __future__ import annotations

from functools import cache
from typing import Any

import bpy

from ..common.text_lines import draw_lines
from .preferences import bridge_settings


@cache
def python() -> str:
    """The Python with torch that is started where none is named, "" for none; looked for once."""
    from ...python_finder import guess

    return guess()


class INNERWALK_OT_edit_list(bpy.types.Operator):
    """Add an entry to the list, or take the chosen one away"""

    bl_idname = "innerwalk.edit_list"
    bl_label = "Edit List"
    bl_options = {"INTERNAL"}

    which: bpy.props.EnumProperty(items=[("networks", "Networks", ""), ("data", "Data Sets", "")])
    add: bpy.props.BoolProperty(default=True)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        """What the button does."""
        kind = "network" if properties.which == "networks" else "data set"
        return f"Add a {kind}" if properties.add else f"Take the chosen {kind} off the list"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change the preferences."""
        settings = bridge_settings(context)
        held, at = getattr(settings, self.which), {"networks": "network", "data": "data_set"}[self.which]
        if self.add:
            held.add()
            setattr(settings, at, len(held) - 1)
        elif len(held):
            held.remove(min(getattr(settings, at), len(held) - 1))
            setattr(settings, at, max(0, getattr(settings, at) - 1))
        return {"FINISHED"}


class INNERWALK_UL_networks(bpy.types.UIList):
    """Networks that the bridge will serve"""

    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, icon: int, active: Any, at: str, index: int = 0,
        flags: int = 0,
    ) -> None:  # fmt: skip
        """Its name, and the model where that is another word."""
        layout.label(text=item.name or item.model or "no model yet", icon="NODETREE" if item.model else "ERROR")
        if item.name and item.name != item.model:
            layout.label(text=item.model)


class INNERWALK_UL_data(bpy.types.UIList):
    """Data sets that the bridge will serve"""

    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, icon: int, active: Any, at: str, index: int = 0,
        flags: int = 0,
    ) -> None:  # fmt: skip
        """Its name."""
        layout.label(text=item.name or item.where or "no place yet", icon="IMAGE_DATA" if item.where else "ERROR")


def draw_start(layout: bpy.types.UILayout, settings: Any) -> None:
    """What a bridge needs to be started or joined; what few people need is folded."""
    if not len(settings.networks):
        draw_lines(layout, "Networks run beside Blender, in a Python that has torch")
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(settings, "python", placeholder=python() or "a Python that has torch")
    layout.label(text="Networks")
    _list(layout, settings, "networks", "network", ("model", "name", "weights", "classes", "picture"))
    if not len(settings.networks):
        draw_lines(layout, "None listed: the small network object, which comes with Innerwalk, is started", "INFO")
    row = layout.row()
    row.scale_y = 1.4
    row.operator("innerwalk.start_bridge", icon="PLAY")
    for name, title, draw in _FOLDED:
        header, body = layout.panel(f"innerwalk_{name}", default_closed=True)
        header.label(text=title)
        if body:
            draw(body, settings)


def _data(layout: Any, settings: Any) -> None:
    _list(layout, settings, "data", "data_set", ("where", "name"))


def _more(layout: Any, settings: Any) -> None:
    layout.use_property_split, layout.use_property_decorate = True, False
    layout.prop(settings, "folder")
    layout.prop(settings, "device", placeholder="the best there is")


def _join(layout: Any, settings: Any) -> None:
    layout.use_property_split, layout.use_property_decorate = True, False
    layout.prop(settings, "connection", placeholder="innerwalk-bridge.json")
    layout.prop(settings, "address", placeholder="or host:port")
    layout.operator("innerwalk.join_bridge", icon="LINKED")


_FOLDED = (
    ("data", "Pictures to Draw From", _data), ("more", "Own Modules, Device", _more),
    ("join", "Join a Running Bridge", _join),
)  # fmt: skip


def _list(layout: Any, settings: Any, which: str, at: str, fields: tuple[str, ...]) -> None:
    held, row = getattr(settings, which), layout.row()
    row.template_list(f"INNERWALK_UL_{which}", which, settings, which, settings, at, rows=2, maxrows=4)
    column = row.column(align=True)
    for add, icon in ((True, "ADD"), (False, "REMOVE")):
        button = column.operator("innerwalk.edit_list", text="", icon=icon)
        button.which, button.add = which, add
    if not len(held):
        return
    chosen, box = held[min(getattr(settings, at), len(held) - 1)], layout.column()
    box.use_property_split, box.use_property_decorate = True, False
    for field in fields:
        box.prop(chosen, field, placeholder=chosen.hint(field))


CLASSES = (INNERWALK_OT_edit_list, INNERWALK_UL_networks, INNERWALK_UL_data)
