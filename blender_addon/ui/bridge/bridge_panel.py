"""The sidebar's Networks panel: starts or joins a bridge, and builds the halls of its networks."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...properties import HALL_VERSION, NETWORK_NAME
from ..common.operators import ActionOperator, NeedsBridge, parse_object, session
from ..common.panels import SidebarPanel
from ..common.paths import CONNECTIONS, entered_file, entered_folder, entered_python
from ..common.text_lines import draw_lines
from ..common.translating import translated
from .bridge_form import draw_start
from .settings import bridge_arguments, bridge_settings, default_python


class INNERWALK_OT_start_bridge(ActionOperator):
    """Start a Python that has PyTorch, with the listed networks and data sets; it ends with Blender"""

    bl_idname = "innerwalk.start_bridge"
    bl_label = "Start Networks"
    bl_options = set()

    python: bpy.props.StringProperty(name="Python", description="A Python that has PyTorch", subtype="FILE_PATH")
    networks: bpy.props.StringProperty(name="Networks", description="JSON object that maps names to network settings")
    data: bpy.props.StringProperty(name="Data", description="JSON object that maps names to data set locations")
    folder: bpy.props.StringProperty(
        name="Folder", description="Folder of the modules with your own models", subtype="DIR_PATH"
    )
    device: bpy.props.StringProperty(
        name="Device", description="Such as cuda, mps or cpu; empty for the best available"
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Takes the settings of the sidebar."""
        settings = bridge_settings(context)
        try:
            networks, data = bridge_arguments(settings)
        except InnerwalkError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.networks, self.data = json.dumps(networks), json.dumps(data)
        self.python, self.folder, self.device = settings.python, settings.folder, settings.device
        return self.execute(context)

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Parses networks and data sets, and finds a Python if none is set. Raises InputError."""
        return {
            "python": entered_python(self.python) or default_python() or "python3",
            "networks": parse_object("networks", self.networks, '{"resnet": {"model": "resnet50"}}'),
            "data": parse_object("data", self.data, '{"birds": "/pictures/birds"}'),
            "folder": entered_folder(self.folder),
            "device": self.device,
        }


class INNERWALK_OT_join_bridge(ActionOperator):
    """Join a bridge that is running, on this machine or behind a tunnel"""

    bl_idname = "innerwalk.join_bridge"
    bl_label = "Join Bridge"
    bl_options = set()

    connection: bpy.props.StringProperty(
        name="Connection File", description="The file that `innerwalk serve` wrote", subtype="FILE_PATH"
    )
    address: bpy.props.StringProperty(name="Address", description="Of the bridge, as host:port, instead of a file")
    token: bpy.props.StringProperty(
        name="Token", description="The token that belongs to the address", subtype="PASSWORD", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Takes the settings of the sidebar; asks for the token of an address."""
        settings = bridge_settings(context)
        self.connection, self.address = settings.connection, settings.address
        if self.address and not self.token:  # tokens are not stored
            return set(context.window_manager.invoke_props_dialog(self))
        return self.execute(context)

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute."""
        return super().arguments(context) | {
            "connection": entered_file("connection file", self.connection, CONNECTIONS),
            "address": self.address.strip(),
            "token": self.token.strip(),
        }


class INNERWALK_OT_leave_bridge(ActionOperator):
    """Leave the bridge, and end it if this Blender has started it; halls stay as they are"""

    bl_idname = "innerwalk.leave_bridge"
    bl_label = "Leave Bridge"
    bl_options = set()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a bridge."""
        cls.poll_message_set("There is no bridge")
        return session().link is not None


class INNERWALK_OT_dismiss_error(bpy.types.Operator):
    """Remove this message"""

    bl_idname = "innerwalk.dismiss_error"
    bl_label = "Dismiss Message"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forgets the message."""
        session().dismiss_error()
        return {"FINISHED"}


class INNERWALK_OT_build_hall(NeedsBridge, ActionOperator):
    """Build the hall of a network of the bridge in a new scene"""

    bl_idname = "innerwalk.build_hall"
    bl_label = "Build Hall"
    bl_options = set()

    network: bpy.props.StringProperty(name="Network", description="Name of the network on the bridge")


class INNERWALK_OT_follow(NeedsBridge, ActionOperator):
    """Let this hall, built from a recording or from a saved file, show a network of the bridge from now on"""

    bl_idname = "innerwalk.follow"
    bl_label = "Follow Network"

    network: bpy.props.StringProperty(name="Network", description="Name of the network on the bridge")


class INNERWALK_PT_bridge(SidebarPanel, bpy.types.Panel):
    """Networks that run beside Blender"""

    bl_label = "Networks"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the form to start a bridge, its progress, or its networks."""
        live, layout = session(), self.layout
        if live.shown_error:
            row = layout.box().row()
            draw_lines(row, live.shown_error, "ERROR")
            row.operator("innerwalk.dismiss_error", text="", icon="X", emboss=False)
        if live.link is None or live.state == "ended":
            self._draw_start(context)
        elif live.state == "starting":
            layout.progress(factor=live.link.progress, text=live.link.status)
            layout.operator("innerwalk.leave_bridge", text="Cancel", icon="X")
        else:
            row = layout.row()
            row.label(text=translated("Ready on {device}", device=live.link.description["device"]), icon="CHECKMARK")
            row.operator("innerwalk.leave_bridge", text="Leave", icon="UNLINKED")
            self._draw_networks(context, live.link.description["networks"])

    def _draw_start(self, context: bpy.types.Context) -> None:
        """Draws buttons for what needs no PyTorch, then the form to start networks, which a hall folds.

        A hall whose bridge has just ended shows the form, to start it again.
        """
        layout = self.layout
        if HALL_VERSION in context.scene:
            body = layout
            if session().state != "ended":
                header, body = layout.panel("innerwalk_start", default_closed=True)
                header.label(text="Run Networks")
            if body:
                draw_start(body, bridge_settings(context))
            return
        column = layout.column()
        column.scale_y = 1.8
        column.operator("innerwalk.open_demo", text="Open Demo", icon="HOME")
        layout.operator("innerwalk.import_recording", text="Open Recording", icon="FILE_FOLDER")
        layout.separator(type="LINE")
        layout.label(text="Your Networks")
        draw_start(layout, bridge_settings(context))

    def _draw_networks(self, context: bpy.types.Context, networks: list[dict[str, Any]]) -> None:
        from ...actions.bridge import awaited_networks

        is_hall, followed, awaited = (
            HALL_VERSION in context.scene,
            context.scene.get(NETWORK_NAME, ""),
            awaited_networks(),
        )
        column = self.layout.column(align=True)
        for network in networks:
            name, row = network["name"], column.row(align=True)
            row.label(text=name, translate=False, icon="LINKED" if is_hall and name == followed else "NODETREE")
            if name in awaited:
                row.label(text="Building its hall …", icon="SORTTIME")
                continue
            if is_hall and name != followed:
                row.operator("innerwalk.follow", text="", icon="LINKED").network = name
            row.operator("innerwalk.build_hall", text="Build Hall", icon="HOME").network = name


CLASSES = (
    INNERWALK_OT_start_bridge,
    INNERWALK_OT_join_bridge,
    INNERWALK_OT_leave_bridge,
    INNERWALK_OT_dismiss_error,
    INNERWALK_OT_build_hall,
    INNERWALK_OT_follow,
    INNERWALK_PT_bridge,
)


def _leave() -> None:
    """Ends the bridge when the extension is disabled."""
    from ...live import timer

    timer.stop()
    session().leave()


CLOSING = (_leave,)
