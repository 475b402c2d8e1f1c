"""The sidebar's method: which one, its parameters as the bridge describes them, and how its job is doing."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ....torch_bridge.recording.errors import InputError
from ...properties import (METHOD_TAG, NETWORK_NAME, SELECTED_CHANNEL, SELECTED_LAYER, SHOWN_METHOD)
from ..common.operators import (attempt, session)
from ..common.text_lines import draw_lines
from .input_panel import Looks


def listed() -> dict[str, dict[str, Any]]:
    """Methods of the bridge by name, as it describes them."""
    link = session().link
    return {one["name"]: one for one in link.described.get("methods", [])} if link else {}


class INNERWALK_OT_choose_method(Looks, bpy.types.Operator):
    """Choose a method of the bridge; its parameters are then drawn here"""

    bl_idname = "innerwalk.choose_method"
    bl_label = "Method"
    bl_options = {"INTERNAL"}

    method: bpy.props.StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make its form anew."""
        form = context.scene.innerwalk
        form.method = self.method
        form.parameters.clear()
        for told in listed()[self.method]["parameters"]:
            form.parameters.add().fill(told)
        return {"FINISHED"}


class INNERWALK_MT_methods(bpy.types.Menu):
    """Methods of the bridge"""

    bl_label = "Method"

    def draw(self, context: bpy.types.Context) -> None:
        """One entry each."""
        for one in listed().values():
            self.layout.operator("innerwalk.choose_method", text=one["title"]).method = one["name"]


class INNERWALK_OT_ask_method(Looks, bpy.types.Operator):
    """Ask the chosen method about the layers; results come as they are made"""

    bl_idname = "innerwalk.ask_method"
    bl_label = "Ask"

    method: bpy.props.StringProperty(name="Method", description="Its name")
    parameters: bpy.props.StringProperty(name="Parameters", description="JSON: name to value", default="{}")
    data: bpy.props.StringProperty(name="Data Set", description="Its name on the bridge")
    layers: bpy.props.StringProperty(
        name="Layers", description="Ids with a space between, or panels", default="panels"
    )  # fmt: skip
    channels: bpy.props.StringProperty(
        name="Channels", description="Of these layers: numbers with a space between; empty for all"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask; the panels follow."""
        from ...actions import ask_method

        return attempt(self, lambda: ask_method(context.scene, self.method, *self._asked()))

    def _asked(self) -> tuple[dict[str, Any], str, list[str], list[int]]:
        """Parameters, data set, layers and channels. Raises InputError."""
        numbers = self.channels.split()
        if not all(one.isdecimal() for one in numbers):
            raise InputError(f"channels {self.channels[:60]!r}: whole numbers with a space between are needed")
        return json.loads(self.parameters), self.data, self.layers.split(), list(map(int, numbers))


class INNERWALK_OT_cancel_method(Looks, bpy.types.Operator):
    """End the running job at its next step; what it has shown stays"""

    bl_idname = "innerwalk.cancel_method"
    bl_label = "Cancel"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """End it."""
        from ...actions import cancel_method

        return attempt(self, lambda: cancel_method(context.scene))


class INNERWALK_PT_method(bpy.types.Panel):
    """What the panels show"""

    bl_label = "Method"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"
    bl_order = 20

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall that follows a network."""
        return session().state == "ready" and bool(context.scene.get(NETWORK_NAME))

    def draw(self, context: bpy.types.Context) -> None:
        """What is shown, the choice, its form, its job."""
        form, known, layout = context.scene.innerwalk, listed(), self.layout
        now = context.scene.get(SHOWN_METHOD, "activations")
        chosen = form.method or now
        told = known.get(chosen)
        layout.menu("INNERWALK_MT_methods", text=told["title"] if told else chosen, icon="NODE")
        if told and form.method:
            draw_lines(layout, told["text"])
            self._form(context.scene, form)
            self._ask(context.scene, form, told["needs"] == "data")
        if chosen != now:
            draw_lines(layout, f"The panels show {known[now]['title'].lower() if now in known else now}", "INFO")
        self._job(context.scene, known)

    def _form(self, scene: bpy.types.Scene, form: Any) -> None:
        column = self.layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        for one in form.parameters:
            column.prop(one, one.field, text=one.name.replace("_", " ").capitalize())
            if one.name == OF_CLASS and one.kind == "int":
                row = column.row()
                row.active, row.alignment = False, "RIGHT"
                row.label(text=class_name(scene, one.int_value))

    def _ask(self, scene: bpy.types.Scene, form: Any, of_data: bool) -> None:
        self.layout.prop(form, "about", text="About")
        layers, channels, missing = asked_about(scene, form.about)
        if of_data:
            self.layout.menu("INNERWALK_MT_data", text=form.data or "Choose a Data Set", icon="IMAGE_DATA")
        row = self.layout.row()
        row.enabled = (bool(form.data) or not of_data) and not missing
        button = row.operator("innerwalk.ask_method", text="Show on the Panels", icon="PLAY")
        button.method, button.data = form.method, form.data if of_data else ""
        button.layers, button.channels = layers, channels
        button.parameters = json.dumps({one.name: getattr(one, one.field) for one in form.parameters})

        if missing:
            self.layout.label(text=missing, icon="RESTRICT_SELECT_OFF")

    def _job(self, scene: bpy.types.Scene, known: dict[str, dict[str, Any]]) -> None:
        job = session().jobs.get(scene.get(METHOD_TAG, ""))
        if job is None:
            return
        if job["state"] in ("waiting", "running"):
            row = self.layout.row(align=True)
            row.progress(factor=job["share"], text=job["told"])
            row.operator("innerwalk.cancel_method", text="", icon="X")
        else:
            method = job["what"]["method"]
            title = known[method]["title"] if method in known else method
            self.layout.label(text=f"{title}: {job['state']}", icon=ENDS.get(job["state"], "NONE"))


def asked_about(scene: bpy.types.Scene, about: str) -> tuple[str, str, str]:
    """Layers and channels as the operator takes them, and what must be done before it can be asked."""
    layer, channel = scene.get(SELECTED_LAYER, ""), scene.get(SELECTED_CHANNEL, -1)
    if about == "panels":
        return "panels", "", ""
    if not layer:
        return "", "", "Click a panel first"
    if about == "layer":
        return layer, "", ""
    return layer, str(max(channel, 0)), "" if channel >= 0 else "Click a tile first"


def class_name(scene: bpy.types.Scene, number: int) -> str:
    """What a class of the hall's network is called; of a number below 0, that it is the answer's."""
    if number < 0:
        return "the class that is predicted"
    link = session().link
    networks = link.described.get("networks", []) if link else []
    names: list[str] = next((one.get("names", []) for one in networks if one["name"] == scene.get(NETWORK_NAME)), [])
    return names[number] if number < len(names) else f"class {number}"


OF_CLASS = "of_class"
"""What methods call the parameter that is the number of a class."""
ENDS: dict[str, Any] = {"done": "CHECKMARK", "cancelled": "CANCEL", "failed": "ERROR"}
"""Icons of how a job has ended."""

CLASSES = (
    INNERWALK_OT_choose_method, INNERWALK_MT_methods, INNERWALK_OT_ask_method, INNERWALK_OT_cancel_method,
    INNERWALK_PT_method,
)  # fmt: skip
