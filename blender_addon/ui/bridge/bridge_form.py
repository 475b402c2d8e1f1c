"""The form to start or join a bridge, in the sidebar and in the preferences."""

from __future__ import annotations

from typing import Any

import bpy

from ..common.text_lines import draw_lines
from ..common.translating import translatable, translated
from .python_form import draw_missing_python
from .settings import bridge_settings, default_python


class INNERWALK_OT_edit_list(bpy.types.Operator):
    """Add an entry to the list, or remove the active one"""

    bl_idname = "innerwalk.edit_list"
    bl_label = "Edit List"
    bl_options = {"INTERNAL"}

    which: bpy.props.EnumProperty(items=[("networks", "Networks", ""), ("data", translatable("Data Sets"), "")])
    add: bpy.props.BoolProperty(default=True)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        """Returns the button's tooltip."""
        kind = "network" if properties.which == "networks" else "data set"
        return f"Add a {kind}" if properties.add else f"Remove the active {kind}"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Changes the list of the settings."""
        settings = bridge_settings(context)
        entries, index_name = getattr(settings, self.which), {"networks": "network", "data": "data_set"}[self.which]
        index = getattr(settings, index_name)
        if self.add:
            entries.add()
            setattr(settings, index_name, len(entries) - 1)
        elif len(entries):
            entries.remove(min(index, len(entries) - 1))
            setattr(settings, index_name, max(0, index - 1))
        return {"FINISHED"}


class SettingsList(bpy.types.UIList):
    """A list whose entries are drawn by `draw_entry`."""

    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int = 0,
        flags: int = 0,
    ) -> None:
        """Draws an entry."""
        self.draw_entry(layout, item)

    def draw_entry(self, layout: Any, entry: Any) -> None:
        """Draws an entry; each list has its own."""
        raise NotImplementedError


class INNERWALK_UL_networks(SettingsList):
    """Networks that the bridge will serve"""

    def draw_entry(self, layout: Any, entry: Any) -> None:
        """Draws the name, and the model if it is called differently."""
        layout.label(
            text=entry.name or entry.model or translated("No model yet"), icon="NODETREE" if entry.model else "ERROR"
        )
        if entry.name and entry.name != entry.model:
            layout.label(text=entry.model)


class INNERWALK_UL_data(SettingsList):
    """Data sets that the bridge will serve"""

    def draw_entry(self, layout: Any, entry: Any) -> None:
        """Draws the name."""
        layout.label(
            text=entry.name or entry.where or translated("No location yet"),
            icon="IMAGE_DATA" if entry.where else "ERROR",
        )


def draw_start(layout: bpy.types.UILayout, settings: Any) -> None:
    """Draws the form; what few people need is folded."""
    python = settings.python or default_python()
    if not python:
        draw_missing_python(layout)
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(settings, "python", placeholder=default_python() or "its program")
    draw_networks(layout, settings)
    row = layout.row()
    row.scale_y, row.enabled = 1.4, bool(python)
    row.operator("innerwalk.start_bridge", text="Start Networks", icon="PLAY")
    for name, title, draw in _FOLDED:
        header, body = layout.panel(f"innerwalk_{name}", default_closed=True)
        header.label(text=title)
        if body:
            draw(body, settings)


def draw_networks(layout: bpy.types.UILayout, settings: Any) -> None:
    """Draws the list of networks with the fields of the active one."""
    _draw_list(layout, settings, "networks", "network", ("model", "name", "weights", "classes", "picture"))
    if not len(settings.networks):
        draw_lines(layout, "None listed: the small one that comes with Innerwalk is started", "INFO")


def _draw_data(layout: Any, settings: Any) -> None:
    _draw_list(layout, settings, "data", "data_set", ("where", "name"))


def _draw_more(layout: Any, settings: Any) -> None:
    layout.use_property_split, layout.use_property_decorate = True, False
    layout.prop(settings, "folder")
    layout.prop(settings, "device", placeholder="the best available")


def _draw_join(layout: Any, settings: Any) -> None:
    layout.use_property_split, layout.use_property_decorate = True, False
    layout.prop(settings, "connection", placeholder="innerwalk-bridge.json")
    layout.prop(settings, "address", placeholder="or host:port")
    layout.operator("innerwalk.join_bridge", icon="LINKED")


_FOLDED = (
    ("data", translatable("Data Sets"), _draw_data),
    ("more", translatable("Own Models and Device"), _draw_more),
    ("join", translatable("Join a Running Bridge"), _draw_join),
)


def _draw_list(layout: Any, settings: Any, which: str, index_name: str, fields: tuple[str, ...]) -> None:
    entries, row = getattr(settings, which), layout.row()
    row.template_list(f"INNERWALK_UL_{which}", which, settings, which, settings, index_name, rows=2, maxrows=4)
    column = row.column(align=True)
    for add, icon in ((True, "ADD"), (False, "REMOVE")):
        button = column.operator("innerwalk.edit_list", text="", icon=icon)
        button.which, button.add = which, add
    if not len(entries):
        return
    active, box = entries[min(getattr(settings, index_name), len(entries) - 1)], layout.column()
    box.use_property_split, box.use_property_decorate = True, False
    for field in fields:
        box.prop(active, field, placeholder=active.hint(field))


CLASSES = (INNERWALK_OT_edit_list, INNERWALK_UL_networks, INNERWALK_UL_data)
