"""Bases of the operators: they run actions, report errors as one line, and share their conditions.

Actions are imported when they run, so that enabling the extension loads nothing heavy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import bpy

from ....torch_bridge.recording.errors import InnerwalkError, InputError, SceneError
from ....torch_bridge.recording.files import parse_json
from ...properties import HALL_VERSION, NETWORK_NAME, SELECTED_LAYER
from .paths import entered_folder


def session() -> Any:
    """Returns the live session: what is known of the bridge and of the halls that it fills."""
    from ...live.session import current

    return current()


def attempt(operator: bpy.types.Operator, action: Callable[[], str]) -> set[str]:
    """Runs an action and reports the line that it returns, or its error."""
    try:
        operator.report({"INFO"}, action())
    except (InnerwalkError, OSError) as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


def parse_object(name: str, text: str, example: str) -> dict[str, Any]:
    """Parses a property that holds a JSON object; "" gives {}. Raises InputError, which shows the example."""
    try:
        value = parse_json(text or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InputError(f"{name} {text[:60]!r}: not a JSON object; write it like {example}")
    return value


class ActionOperator(bpy.types.Operator):
    """Operator innerwalk.NAME: runs the function NAME of `actions` with the operator's properties as arguments."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def action(cls) -> Callable[..., str]:
        """Returns the function of `actions` that has the operator's name."""
        from ... import actions

        function: Callable[..., str] = getattr(actions, cls.bl_idname.partition(".")[2])
        return function

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Returns the action's arguments by name, without the scene. Raises InnerwalkError for a wrong property."""
        names = inspect.signature(self.action()).parameters.keys() - {"scene", "progress"}
        return {name: getattr(self, name) for name in names}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Runs the action in the scene of the context."""
        action = self.action()
        scene = {"scene": context.scene} if "scene" in inspect.signature(action).parameters else {}
        return attempt(self, lambda: action(**scene, **self.arguments(context)))


class FolderOperator(ActionOperator):
    """Asks for a folder; subclasses have the property `directory`."""

    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute; of a file, such as recording.json, takes its folder."""
        found = super().arguments(context)
        return found | {"directory": entered_folder(found["directory"])}


class NeedsHall:
    """Operators that need a hall."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the scene is a hall."""
        cls.poll_message_set("This scene is not a hall; import a recording first")
        return HALL_VERSION in context.scene


class NeedsSelectedLayer:
    """Operators that need a hall with a selected layer."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a layer of a hall is selected."""
        cls.poll_message_set("Click a panel of a hall first")
        return bool(HALL_VERSION in context.scene and context.scene.get(SELECTED_LAYER))


class NeedsBridge:
    """Operators that need a bridge."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a bridge is ready."""
        cls.poll_message_set("Start or join a bridge first, in the Innerwalk tab")
        return session().state == "ready"


class NeedsNetwork(NeedsBridge):
    """Operators that need a hall that follows a network of the bridge."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the hall follows a network of the bridge."""
        if not super().poll(context):
            return False
        cls.poll_message_set("This scene follows no network: build its hall from the bridge, or let it follow one")
        return bool(context.scene.get(NETWORK_NAME))


class LayerOperator(NeedsHall, ActionOperator):
    """An action on one layer: the named one, or the selected one."""

    layer: bpy.props.StringProperty(name="Layer", description="Id of the layer; empty for the selected one")

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Fills in the selected layer. Raises SceneError when none is selected."""
        layer = self.layer or context.scene.get(SELECTED_LAYER, "")
        if not layer:
            raise SceneError("no layer is selected; click a panel first")
        return super().arguments(context) | {"layer": layer}


class SearchOperator(bpy.types.Operator):
    """An operator that opens a search field for its list `found`."""

    bl_property = "found"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Opens the field."""
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}
