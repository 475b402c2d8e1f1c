"""The sidebar's bridge: start one or join one, and build the halls of its networks."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ....torch_bridge.recording.errors import InputError
from ...properties import HALL_VERSION, NETWORK_NAME
from ..common.operators import attempt, session
from ..common.text_lines import draw_lines
from .bridge_form import draw_start
from .bridge_form import python as guessed
from .preferences import (bridge_settings, order_of)


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
        from ...actions import start_bridge

        python, folder = (bpy.path.abspath(path) for path in (self.python, self.folder))
        return start_bridge(
            python or guessed() or "python3", _object(self.networks), _object(self.data), folder, self.device
        )


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
    address: bpy.props.StringProperty(name="Address", description="host:port of the bridge, instead of a file")
    token: bpy.props.StringProperty(
        name="Token", description="Goes with the address", subtype="PASSWORD", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """With the file that the sidebar names; for an address, ask for its token."""
        settings = bridge_settings(context)
        self.connection, self.address = settings.connection, settings.address
        if self.address and not self.token:  # a token is kept nowhere
            return set(context.window_manager.invoke_props_dialog(self))
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Join it."""
        from ...actions import join_bridge

        return attempt(self, lambda: join_bridge(bpy.path.abspath(self.connection), self.address, self.token))


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
        from ...actions import leave_bridge

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
        from ...actions import build_hall

        return attempt(self, lambda: build_hall(self.network))


class INNERWALK_OT_follow(Asks, bpy.types.Operator):
    """Let this hall, of a recording or of a saved file, show what a network of the bridge sees from now on"""

    bl_idname = "innerwalk.follow"
    bl_label = "Follow Network"
    bl_options = {"REGISTER", "UNDO"}

    network: bpy.props.StringProperty(name="Network", description="Its name on the bridge")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Follow it."""
        from ...actions import follow

        return attempt(self, lambda: follow(context.scene, self.network))


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
        wrong = now.link.told if now.state == "ended" else now.error
        if wrong:
            draw_lines(layout.box(), wrong, "ERROR")
        if now.link is None or now.state == "ended":
            draw_start(layout, bridge_settings(context))
            self._without(context)
        elif now.state == "starting":
            layout.progress(factor=now.link.share, text=now.link.told)
            layout.operator("innerwalk.leave_bridge", text="Cancel", icon="X")
        else:
            row = layout.row()
            row.label(text=f"Ready on {now.link.described['device']}", icon="CHECKMARK")
            row.operator("innerwalk.leave_bridge", text="Leave", icon="UNLINKED")
            self._networks(context, now.link.described["networks"])

    def _without(self, context: bpy.types.Context) -> None:
        """What can be opened with no bridge."""
        if HALL_VERSION in context.scene:
            return
        self.layout.separator(type="LINE")
        self.layout.label(text="Without a bridge")
        row = self.layout.row(align=True)
        row.operator("innerwalk.open_demo", text="Open Demo", icon="HOME")
        row.operator("innerwalk.import_recording", text="Open Recording", icon="FILE_FOLDER")

    def _networks(self, context: bpy.types.Context, listed: list[dict[str, Any]]) -> None:
        from ...actions.bridge import awaited

        hall, followed, coming = (
            HALL_VERSION in context.scene,
            context.scene.get(NETWORK_NAME, ""),
            awaited(),
        )
        column = self.layout.column(align=True)
        for one in listed:
            name, row = one["name"], column.row(align=True)
            row.label(text=name, icon="LINKED" if hall and name == followed else "NODETREE")
            if name in coming:
                row.label(text="its hall is built …", icon="SORTTIME")
                continue
            if hall and name != followed:
                row.operator("innerwalk.follow", text="Follow", icon="LINKED").network = name
            row.operator("innerwalk.build_hall", text="" if hall else "Build Hall", icon="HOME").network = name


CLASSES = (
    INNERWALK_OT_start_bridge, INNERWALK_OT_join_bridge, INNERWALK_OT_leave_bridge, INNERWALK_OT_build_hall,
    INNERWALK_OT_follow, INNERWALK_PT_bridge,
)  # fmt: skip


def _leave() -> None:
    """The extension goes: nothing that it started stays."""
    from ...live import timer

    timer.stop()
    session().leave()


CLOSING = (_leave,)
