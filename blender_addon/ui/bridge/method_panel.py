"""The sidebar's Method panel: the choice of a method, its parameters as the bridge describes them, and its job."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ....torch_bridge.recording.channels import format_channels, parse_channels
from ...properties import METHOD_TAG, NETWORK_NAME, SELECTED_CHANNEL, SELECTED_LAYER, SHOWN_METHOD
from ..common.operators import ActionOperator, NeedsNetwork, parse_object, session
from ..common.panels import SidebarPanel
from ..common.text_lines import draw_lines

CLASS_PARAMETER = "of_class"
"""Name of the parameter of methods that is the number of a class."""
JOB_ICONS: dict[str, Any] = {"done": "CHECKMARK", "cancelled": "CANCEL", "failed": "ERROR"}
"""Icons of the states in which a job ends."""


def bridge_methods() -> dict[str, dict[str, Any]]:
    """Returns the bridge's descriptions of its methods by name."""
    link = session().link
    return {method["name"]: method for method in link.description.get("methods", [])} if link else {}


class INNERWALK_OT_choose_method(NeedsNetwork, bpy.types.Operator):
    """Choose a method of the bridge and show its parameters here"""

    bl_idname = "innerwalk.choose_method"
    bl_label = "Method"
    bl_options = {"INTERNAL"}

    method: bpy.props.StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Fills the form with the method's parameters and their defaults."""
        form = context.scene.innerwalk
        form.method = self.method
        session().dismiss_error()
        form.parameters.clear()
        for description in bridge_methods()[self.method]["parameters"]:
            form.parameters.add().fill(description)
        return {"FINISHED"}


class INNERWALK_OT_parameter_help(bpy.types.Operator):
    """Show what a parameter of the method does"""

    bl_idname = "innerwalk.parameter_help"
    bl_label = "Parameter Help"
    bl_options = {"INTERNAL"}

    text: bpy.props.StringProperty()

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        """Returns the tooltip: the parameter's own text."""
        return str(properties.text)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Shows the tooltip as a message."""
        self.report({"INFO"}, self.text)
        return {"FINISHED"}


class INNERWALK_MT_methods(bpy.types.Menu):
    """Methods of the bridge"""

    bl_label = "Method"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws one entry for each method."""
        for method in bridge_methods().values():
            self.layout.operator("innerwalk.choose_method", text=method["title"]).method = method["name"]


class INNERWALK_OT_ask_method(NeedsNetwork, ActionOperator):
    """Run the chosen method on the layers; the panels show results as they arrive"""

    bl_idname = "innerwalk.ask_method"
    bl_label = "Run Method"

    method: bpy.props.StringProperty(name="Method", description="Name of the method")
    parameters: bpy.props.StringProperty(
        name="Parameters", description="JSON object that maps names to values", default="{}"
    )
    data: bpy.props.StringProperty(name="Data Set", description="Name of the data set on the bridge")
    layers: bpy.props.StringProperty(
        name="Layers", description="Ids separated by spaces, or panels for all panels", default="panels"
    )
    channels: bpy.props.StringProperty(
        name="Channels", description="Channels of these layers, such as 0,3,8-11; empty for all"
    )

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Parses parameters, layers and channels. Raises InputError."""
        return {
            "method": self.method,
            "parameters": parse_object("parameters", self.parameters, '{"seed": 1}'),
            "data": self.data,
            "layers": self.layers.split(),
            "channels": parse_channels(self.channels),
        }


class INNERWALK_OT_cancel_method(NeedsNetwork, ActionOperator):
    """Stop the running job at its next step; results that are shown stay"""

    bl_idname = "innerwalk.cancel_method"
    bl_label = "Cancel"


class INNERWALK_PT_method(SidebarPanel, bpy.types.Panel):
    """The method whose maps the panels show"""

    bl_label = "Method"
    bl_order = 20

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the hall follows a network of the bridge."""
        return session().state == "ready" and bool(context.scene.get(NETWORK_NAME))

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the choice of the method, its form and its job."""
        form, methods, layout = context.scene.innerwalk, bridge_methods(), self.layout
        shown = context.scene.get(SHOWN_METHOD, "activations")
        chosen = form.method or shown
        description = methods.get(chosen)
        layout.menu("INNERWALK_MT_methods", text=description["title"] if description else chosen, icon="NODE")
        if description and form.method:
            draw_lines(layout, description["text"])
            self._draw_form(context.scene, form)
            self._draw_run(context.scene, form, "data" in description["needs"])
        if chosen != shown:
            title = methods[shown]["title"].lower() if shown in methods else shown
            draw_lines(layout, f"The panels show {title}", "INFO")
        self._draw_job(context.scene, methods)

    def _draw_form(self, scene: bpy.types.Scene, form: Any) -> None:
        column = self.layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        for parameter in form.parameters:
            draw_parameter(column, parameter)
            if parameter.name == CLASS_PARAMETER and parameter.kind == "int":
                row = column.row()
                row.active, row.alignment = False, "RIGHT"
                row.label(text=class_name(scene, parameter.int_value))

    def _draw_run(self, scene: bpy.types.Scene, form: Any, needs_data: bool) -> None:
        self.layout.prop(form, "about", text="Run on")
        layers, channels, missing = method_target(scene, form.about)
        if needs_data:
            self.layout.menu("INNERWALK_MT_data", text=form.data or "Choose a Data Set", icon="IMAGE_DATA")
        row = self.layout.row()
        row.enabled = (bool(form.data) or not needs_data) and not missing
        button = row.operator("innerwalk.ask_method", text="Show on the Panels", icon="PLAY")
        button.method, button.data = form.method, form.data if needs_data else ""
        button.layers, button.channels = layers, channels
        button.parameters = json.dumps({parameter.name: parameter.value for parameter in form.parameters})
        if missing:
            self.layout.label(text=missing, icon="RESTRICT_SELECT_OFF")

    def _draw_job(self, scene: bpy.types.Scene, methods: dict[str, dict[str, Any]]) -> None:
        job = session().job(scene.get(METHOD_TAG, ""))
        if job is None:
            return
        if job["state"] in ("waiting", "running"):
            row = self.layout.row(align=True)
            row.progress(factor=job["share"], text=job["told"])
            row.operator("innerwalk.cancel_method", text="", icon="X")
        else:
            method = job["what"]["method"]
            title = methods[method]["title"] if method in methods else method
            self.layout.label(text=f"{title}: {job['state']}", icon=JOB_ICONS.get(job["state"], "NONE"))


def draw_parameter(layout: Any, parameter: Any) -> None:
    """Draws a parameter's field with its unit, and an icon whose tooltip is the parameter's text."""
    row = layout.row(align=True)
    row.prop(parameter, parameter.field, text=parameter.label)
    row.operator("innerwalk.parameter_help", text="", icon="QUESTION", emboss=False).text = parameter.tooltip


def method_target(scene: bpy.types.Scene, about: str) -> tuple[str, str, str]:
    """Returns layers and channels as ask_method takes them, and what the user must do first ("" for nothing)."""
    layer, channel = scene.get(SELECTED_LAYER, ""), scene.get(SELECTED_CHANNEL, -1)
    if about == "panels":
        return "panels", "", ""
    if not layer:
        return "", "", "Click a panel first"
    if about == "layer":
        return layer, "", ""
    return layer, format_channels([max(channel, 0)]), "" if channel >= 0 else "Click a tile first"


def class_name(scene: bpy.types.Scene, number: int) -> str:
    """Returns the name of a class of the hall's network; a number below 0 stands for the predicted class."""
    if number < 0:
        return "the predicted class"
    link = session().link
    networks = link.description.get("networks", []) if link else []
    followed = scene.get(NETWORK_NAME)
    names: list[str] = next((network.get("names", []) for network in networks if network["name"] == followed), [])
    return names[number] if number < len(names) else f"class {number}"


CLASSES = (
    INNERWALK_OT_choose_method,
    INNERWALK_OT_parameter_help,
    INNERWALK_MT_methods,
    INNERWALK_OT_ask_method,
    INNERWALK_OT_cancel_method,
    INNERWALK_PT_method,
)
