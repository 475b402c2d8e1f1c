"""The sidebar's Method panel: the choice of a method, its parameters as the bridge describes them, and its job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import bpy

from ....torch_bridge.recording.channels import format_channels, parse_channels
from ...properties import METHOD_TAG, NETWORK_NAME, SELECTED_CHANNEL, SELECTED_LAYER, SHOWN_METHOD
from ..common.operators import ActionOperator, NeedsNetwork, SearchOperator, parse_object, session
from ..common.panels import SidebarPanel
from ..common.text_lines import draw_lines
from ..common.translating import translatable, translated

FIRST = 3
"""Parameters of a method that are shown; the others, which few people change, are folded."""
PREDICTED = translatable("Predicted class")
CLASS_PARAMETER = "of_class"
"""Name of the parameter of methods that is the number of a class."""
JOB_ICONS: dict[str, Any] = {"cancelled": "CANCEL", "failed": "ERROR"}
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
        form.about = first_target(context.scene, bridge_methods()[self.method])
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
        """Draws one entry for each method, below the question that it answers, in two columns."""
        methods = list(bridge_methods().values())
        questions = list(dict.fromkeys(method.get("question", "") for method in methods))
        row, half, drawn = self.layout.row(), (len(methods) + len(questions)) / 2, 0
        column = row.column()
        for question in questions:
            if drawn >= half:
                column, drawn = row.column(), 0
            column.label(text=question or translated("Others"), translate=False)
            answering = [method for method in methods if method.get("question", "") == question]
            for method in answering:
                button = column.operator("innerwalk.choose_method", text=method["title"], translate=False)
                button.method = method["name"]
            column.separator()
            drawn += 1 + len(answering)


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
        from ....torch_bridge.recording import ACTIVATIONS

        form, methods, layout = context.scene.innerwalk, bridge_methods(), self.layout
        shown = context.scene.get(SHOWN_METHOD, ACTIVATIONS)
        chosen = form.method or shown
        description = methods.get(chosen)
        title = description["title"] if description else chosen
        layout.menu("INNERWALK_MT_methods", text=title, translate=False, icon="NODE")
        if description and form.method:
            draw_lines(layout, description["text"])
            self._draw_form(context.scene, form)
            self._draw_run(context.scene, form, "data" in description["needs"])
        self._draw_job(context.scene, methods)
        if chosen != shown or shown != ACTIVATIONS:
            draw_lines(layout, translated("The panels show: {title}", title=hall_caption(context.scene)), "INFO")
        if shown != ACTIVATIONS:
            layout.operator("innerwalk.show_activations", text="Back to Activations", icon="LOOP_BACK")

    def _draw_form(self, scene: bpy.types.Scene, form: Any) -> None:
        column = self.layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        first, rest = form.parameters[:FIRST], form.parameters[FIRST:]
        for parameter in first:
            draw_parameter(column, parameter, scene)
        if not rest:
            return
        header, body = self.layout.panel("innerwalk_parameters", default_closed=True)
        header.label(text=translated("More Settings ({count})", count=len(rest)), translate=False)
        if body:
            body.use_property_split, body.use_property_decorate = True, False
            for parameter in rest:
                draw_parameter(body, parameter, scene)

    def _draw_run(self, scene: bpy.types.Scene, form: Any, needs_data: bool) -> None:
        self.layout.prop(form, "about")
        layers, channels, missing = method_target(scene, form.about)
        if needs_data:
            self.layout.menu("INNERWALK_MT_data", text=form.data or "Choose a Data Set", icon="IMAGE_DATA")
        row = self.layout.row()
        row.enabled = (bool(form.data) or not needs_data) and not missing
        button = row.operator("innerwalk.ask_method", text="Show on the Panels", icon="PLAY")
        button.method, button.data = form.method, form.data if needs_data else ""
        button.layers, button.channels = layers, channels
        values = {parameter.name: parameter.value for parameter in form.parameters}
        button.parameters = json.dumps(values)
        network = str(scene.get(NETWORK_NAME, ""))
        repeats, count = bridge_methods()[form.method].get("repeats", ""), channel_count(scene, layers, channels)
        if takes := session().times.estimate(network, form.method, form.about, values, repeats, count):
            draw_lines(self.layout, takes, "TIME")
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
        elif job["state"] != "done":  # what the panels show says that
            method = job["what"]["method"]
            title = methods[method]["title"] if method in methods else method
            self.layout.label(text=f"{title}: {job['state']}", icon=JOB_ICONS.get(job["state"], "NONE"))


def draw_parameter(layout: Any, parameter: Any, scene: bpy.types.Scene) -> None:
    """Draws a parameter's field with its unit, and an icon whose tooltip is the parameter's text.

    A class is searched by its name where the network's classes have names.
    """
    row = layout.row(align=True)
    if parameter.name == CLASS_PARAMETER and parameter.kind == "int" and class_names(scene):
        part = row.split(factor=0.4, align=True)
        part.alignment = "RIGHT"
        part.label(text="Class")
        name = class_name(scene, parameter.int_value)
        part.operator("innerwalk.choose_class", text=name, icon="VIEWZOOM", translate=False)
    else:
        row.prop(parameter, parameter.field, text=parameter.label, translate=False)
    row.operator("innerwalk.parameter_help", text="", icon="QUESTION", emboss=False).text = parameter.tooltip


def method_target(scene: bpy.types.Scene, about: str) -> tuple[str, str, str]:
    """Returns layers and channels as ask_method takes them, and what the user must do first ("" for nothing)."""
    layer, channel = scene.get(SELECTED_LAYER, ""), scene.get(SELECTED_CHANNEL, -1)
    if about == "panels":
        return "panels", "", ""
    if not layer:
        return "", "", translatable("Click a panel first")
    if about == "layer":
        return layer, "", ""
    return layer, format_channels([max(channel, 0)]), "" if channel >= 0 else translatable("Click a tile first")


def channel_count(scene: bpy.types.Scene, layers: str, channels: str) -> int:
    """Returns how many channels `ask_method` is about with these arguments, on the panels of a hall."""
    from ...scene.panels import panels

    if channels:
        return len(parse_channels(channels))
    return sum(len(panel.data.vertices) for id, panel in panels(scene).items() if layers in ("panels", id))


def first_target(scene: bpy.types.Scene, method: Mapping[str, Any]) -> str:
    """Returns what a method that is chosen is run on first: the selected channel or layer, else all panels.

    A method that is only about a class needs the whole layer.
    """
    if not scene.get(SELECTED_LAYER):
        return "panels"
    names = {parameter["name"] for parameter in method["parameters"]}
    is_about_class = CLASS_PARAMETER in names and "of" not in names
    return "layer" if is_about_class or scene.get(SELECTED_CHANNEL, -1) < 0 else "channel"


def hall_caption(scene: bpy.types.Scene) -> str:
    """Returns what the panels of a hall show, as its title board says it."""
    from ....torch_bridge.recording import ACTIVATIONS
    from ...scene.dressing.title_caption import shown_caption

    return shown_caption(scene, str(scene.get(SHOWN_METHOD, ACTIVATIONS)))


def class_names(scene: bpy.types.Scene) -> list[str]:
    """Returns the names of the classes of the hall's network; [] where they have none."""
    link = session().link
    networks = link.description.get("networks", []) if link else []
    followed = scene.get(NETWORK_NAME)
    found: list[str] = next((network.get("names", []) for network in networks if network["name"] == followed), [])
    return found


def class_name(scene: bpy.types.Scene, number: int) -> str:
    """Returns the name of a class of the hall's network; a number below 0 stands for the predicted class."""
    if number < 0:
        return translated(PREDICTED)
    names = class_names(scene)
    return names[number] if number < len(names) else translated("class {number}", number=number)


_class_items: list[tuple[str, str, str]] = []
"""The last list of classes: Blender keeps no reference to the texts of dynamic lists."""


def class_items(operator: bpy.types.Operator, context: bpy.types.Context) -> list[tuple[str, str, str]]:
    """Returns the classes of the hall's network as items of a list, by their numbers; -1 for the predicted one."""
    named = [(str(number), name, "") for number, name in enumerate(class_names(context.scene))]
    _class_items[:] = [("-1", PREDICTED, ""), *named]
    return _class_items


class INNERWALK_OT_choose_class(NeedsNetwork, SearchOperator):
    """Search the class that the method is about by its name"""

    bl_idname = "innerwalk.choose_class"
    bl_label = "Class"

    found: bpy.props.EnumProperty(name="Class", items=class_items)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stores the class in the form of the method."""
        form = context.scene.innerwalk
        for parameter in form.parameters:
            if parameter.name == CLASS_PARAMETER:
                parameter.int_value = int(self.found)
        return {"FINISHED"}


CLASSES = (
    INNERWALK_OT_choose_method,
    INNERWALK_OT_choose_class,
    INNERWALK_OT_parameter_help,
    INNERWALK_MT_methods,
    INNERWALK_OT_ask_method,
    INNERWALK_OT_cancel_method,
    INNERWALK_PT_method,
)
