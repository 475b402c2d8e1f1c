"""The sidebar's bridge: start one or join one, and build the halls of its networks."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ...torch_bridge.errors import InputError
from .operators import attempt, session
from .settings import bridge_settings, order_of


class INNERWALK_OT_start_bridge(bpy.types.Operator):
    """Start a Python that has torch, with the networks and data sets that are listed; it ends with Blender"""

    bl_idname = "innerwalk.start_bridge"
    bl_label = "Start Bridge"

    python: bpy.props.StringProperty(name="Python", description="A Python that has torch", subtype="FILE_PATH")
    networks: bpy.props.StringProperty(name="Networks", description="JSON: name to the fields of a network")
    data: bpy.props.StringProperty(name="Data", description="JSON: name to where its pictures are")
    folder: bpy.props.StringProperty(name="Folder", description="Where own modules are", subtype="DIR_PATH")
    device: bpy.props.StringProperty(name="Device", description="cuda, mps, cpu …; empty for the best there is")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """With what the sidebar says."""
        settings = bridge_settings(context)
        networks, data = order_of(settings)
        self.networks, self.data = json.dumps(networks), json.dumps(data)
        self.python, self.folder, self.device = settings.python, settings.folder, settings.device
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start it; that it is ready shows in the sidebar."""
        return attempt(self, self._start)

    def _start(self) -> str:
        from ..actions import start_bridge

        python, folder = (bpy.path.abspath(path) for path in (self.python, self.folder))
        return start_bridge(python or "python3", _object(self.networks), _object(self.data), folder, self.device)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(f'{text[:60]!r} is no JSON object; {{"resnet": {{"model": "resnet50"}}}} would be')
    return found


class INNERWALK_OT_join_bridge(bpy.types.Operator):
    """Join a bridge that runs already, here or behind a tunnel"""

    bl_idname = "innerwalk.join_bridge"
    bl_label = "Join Bridge"

    connection: bpy.props.StringProperty(
        name="Connection File", description="What `innerwalk serve` wrote", subtype="FILE_PATH"
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """With the file that the sidebar names."""
        self.connection = bridge_settings(context).connection
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Join it."""
        from ..actions import join_bridge

        return attempt(self, lambda: join_bridge(bpy.path.abspath(self.connection)))


class INNERWALK_OT_leave_bridge(bpy.types.Operator):
    """Leave the bridge, and end it if this Blender has started it; halls stay as they are"""

    bl_idname = "innerwalk.leave_bridge"
    bl_label = "Leave Bridge"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is one."""
        cls.poll_message_set("There is no bridge")
        return session().link is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Leave it."""
        from ..actions import leave_bridge

        return attempt(self, leave_bridge)


class Asks:
    """Operators that need a bridge that is ready."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where one is."""
        cls.poll_message_set("Start or join a bridge first, in the Innerwalk tab")
        return session().state == "ready"


class INNERWALK_OT_build_hall(Asks, bpy.types.Operator):
    """Build the hall of a network of the bridge, in a scene of its own"""

    bl_idname = "innerwalk.build_hall"
    bl_label = "Build Hall"

    network: bpy.props.StringProperty(name="Network", description="Its name on the bridge")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Let it look at its first input; the hall follows."""
        from ..actions import build_hall

        return attempt(self, lambda: build_hall(self.network))


class INNERWALK_OT_follow(Asks, bpy.types.Operator):
    """Let this hall, of a recording or of a saved file, show what a network of the bridge sees from now on"""

    bl_idname = "innerwalk.follow"
    bl_label = "Follow Network"
    bl_options = {"REGISTER", "UNDO"}

    network: bpy.props.StringProperty(name="Network", description="Its name on the bridge")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Follow it."""
        from ..actions import follow

        return attempt(self, lambda: follow(context.scene, self.network))


class INNERWALK_OT_edit_list(bpy.types.Operator):
    """Add an entry to the list, or take the chosen one away"""

    bl_idname = "innerwalk.edit_list"
    bl_label = "Edit List"
    bl_options = {"INTERNAL"}

    which: bpy.props.EnumProperty(items=[("networks", "Networks", ""), ("data", "Data Sets", "")])
    add: bpy.props.BoolProperty(default=True)

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
        """Name and model."""
        layout.label(text=item.name or item.model or "unnamed", icon="NETWORK_DRIVE")
        layout.label(text=item.model)


class INNERWALK_UL_data(bpy.types.UIList):
    """Data sets that the bridge will serve"""

    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, icon: int, active: Any, at: str, index: int = 0,
        flags: int = 0,
    ) -> None:  # fmt: skip
        """Name and place."""
        layout.label(text=item.name or item.where or "unnamed", icon="IMAGE_DATA")


def draw_start(layout: bpy.types.UILayout, settings: Any) -> None:
    """What a bridge needs to be started or joined."""
    layout.use_property_split, layout.use_property_decorate = True, False
    layout.prop(settings, "python")
    _list(
        layout,
        settings,
        "networks",
        "network",
        "INNERWALK_UL_networks",
        ("name", "model", "weights", "classes", "picture"),
    )
    _list(layout, settings, "data", "data_set", "INNERWALK_UL_data", ("name", "where"))
    layout.prop(settings, "folder")
    layout.prop(settings, "device")
    layout.operator("innerwalk.start_bridge", icon="PLAY")
    layout.separator()
    layout.prop(settings, "connection")
    layout.operator("innerwalk.join_bridge", icon="LINKED")


def _list(layout: Any, settings: Any, which: str, at: str, kind: str, fields: tuple[str, ...]) -> None:
    held, row = getattr(settings, which), layout.row()
    row.template_list(kind, which, settings, which, settings, at, rows=2)
    column = row.column(align=True)
    for add, icon in ((True, "ADD"), (False, "REMOVE")):
        button = column.operator("innerwalk.edit_list", text="", icon=icon)
        button.which, button.add = which, add
    if len(held):
        box = layout.box().column()
        for field in fields:
            box.prop(held[min(getattr(settings, at), len(held) - 1)], field)


class INNERWALK_PT_bridge(bpy.types.Panel):
    """Networks that run beside Blender"""

    bl_label = "Bridge"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        """By what the bridge is doing."""
        now, layout = session(), self.layout
        if now.error:
            draw_lines(layout, now.error, "ERROR")
        if now.link is None or now.state == "ended":
            draw_start(layout, bridge_settings(context))
            return
        if now.state == "starting":
            layout.progress(factor=now.link.share, text=now.link.told)
            layout.operator("innerwalk.leave_bridge", text="Cancel", icon="X")
            return
        layout.label(text=f"ready on {now.link.described['device']}", icon="CHECKMARK")
        self._networks(context, now.link.described["networks"])
        layout.operator("innerwalk.leave_bridge", icon="UNLINKED")

    def _networks(self, context: bpy.types.Context, listed: list[dict[str, Any]]) -> None:
        followed = context.scene.get("innerwalk_network", "")
        column = self.layout.column(align=True)
        for one in listed:
            row = column.row(align=True)
            row.label(text=one["name"], icon="RADIOBUT_ON" if one["name"] == followed else "RADIOBUT_OFF")
            row.operator("innerwalk.build_hall", icon="HOME").network = one["name"]
            if "innerwalk_hall" in context.scene and one["name"] != followed:
                row.operator("innerwalk.follow", text="Follow", icon="LINKED").network = one["name"]


WIDE = 42
"""Characters on a line of the sidebar."""


def draw_lines(layout: bpy.types.UILayout, text: str, icon: str = "NONE") -> None:
    """A text on as many lines as it needs."""
    column = layout.box().column(align=True)
    line = ""
    for word in text.split():
        if line and len(line) + len(word) >= WIDE:
            column.label(text=line, icon=icon)
            line, icon = "", "BLANK1" if icon != "NONE" else "NONE"
        line = f"{line} {word}".strip()
    column.label(text=line, icon=icon)


CLASSES = (
    INNERWALK_OT_start_bridge, INNERWALK_OT_join_bridge, INNERWALK_OT_leave_bridge, INNERWALK_OT_build_hall,
    INNERWALK_OT_follow, INNERWALK_OT_edit_list, INNERWALK_UL_networks, INNERWALK_UL_data, INNERWALK_PT_bridge,
)  # fmt: skip


def _leave() -> None:
    """The extension goes: nothing that it started stays."""
    from ..live import timer

    timer.stop()
    session().leave()


CLOSING = (_leave,)
