"""Operators that lay pictures of a data set on the shelf, and take one of them; the choice of the data set."""

from __future__ import annotations

from typing import Any

import bpy

from ...properties import HELD_PICTURE
from ..common.operators import ActionOperator, NeedsNetwork, SearchOperator, attempt, session
from ..common.translating import translated

ALL_CLASSES = "all classes"


class INNERWALK_OT_draw_shelf(NeedsNetwork, ActionOperator):
    """Lay random pictures of a data set on the shelf"""

    bl_idname = "innerwalk.draw_shelf"
    bl_label = "Random Pictures"
    bl_options = {"REGISTER"}

    data: bpy.props.StringProperty(name="Data Set", description="Name of the data set on the bridge")
    seed: bpy.props.IntProperty(name="Seed", description="Another seed draws other pictures", min=0)
    of_class: bpy.props.StringProperty(name="Class", description="Only pictures of this class")


class INNERWALK_OT_page_shelf(NeedsNetwork, ActionOperator):
    """Lay a page of a data set on the shelf, in the data set's order"""

    bl_idname = "innerwalk.page_shelf"
    bl_label = "Page"
    bl_options = {"REGISTER"}

    data: bpy.props.StringProperty(name="Data Set", description="Name of the data set on the bridge")
    page: bpy.props.IntProperty(name="Page", description="Number of the page, from 0", min=0)
    of_class: bpy.props.StringProperty(name="Class", description="Only pictures of this class")


class INNERWALK_OT_hold(NeedsNetwork, ActionOperator):
    """Take a picture from the shelf, to place it in the input frame"""

    bl_idname = "innerwalk.hold"
    bl_label = "Take Picture"

    index: bpy.props.IntProperty(
        name="Picture", description="Number of the picture on the shelf; -1 to put it back", min=-1
    )


class INNERWALK_OT_place_held(NeedsNetwork, ActionOperator):
    """Place the held picture in the input frame"""

    bl_idname = "innerwalk.place_held"
    bl_label = "Place Held Picture"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a picture of the desk is held."""
        if not super().poll(context):
            return False
        cls.poll_message_set("Click a picture on the desk first")
        return bool(context.scene.get(HELD_PICTURE, -1) >= 0)


def data_sets() -> list[dict[str, Any]]:
    """Returns the bridge's descriptions of its data sets."""
    link = session().link
    found: list[dict[str, Any]] = link.description.get("data", []) if link else []
    return found


_class_items: list[tuple[str, str, str]] = []
"""The last list of classes: Blender keeps no reference to the texts of dynamic lists."""


def class_items(operator: bpy.types.Operator, context: bpy.types.Context) -> list[tuple[str, str, str]]:
    """Returns the classes of the chosen data set as items of a list."""
    chosen = context.scene.innerwalk.data
    names: list[str] = next((data["classes"] for data in data_sets() if data["name"] == chosen), [])
    _class_items[:] = [(name, name, "") for name in (ALL_CLASSES, *names)]
    return _class_items


class INNERWALK_OT_search_class(NeedsNetwork, SearchOperator):
    """Search the data set's classes, and lay pictures of one of them on the shelf"""

    bl_idname = "innerwalk.search_class"
    bl_label = "Search Class"

    found: bpy.props.EnumProperty(name="Class", items=class_items)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Draws pictures of the class."""
        from ...actions import draw_shelf

        form = context.scene.innerwalk
        form.of_class = "" if self.found == ALL_CLASSES else self.found
        return attempt(self, lambda: draw_shelf(context.scene, form.data, form.seed, form.of_class))


class INNERWALK_OT_choose_data(NeedsNetwork, bpy.types.Operator):
    """Choose a data set of the bridge, for the shelf and for methods that need data"""

    bl_idname = "innerwalk.choose_data"
    bl_label = "Data Set"
    bl_options = {"INTERNAL"}

    data: bpy.props.StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stores the choice in the scene, and draws pictures of the data set."""
        from ...actions import draw_shelf

        form = context.scene.innerwalk
        form.data, form.of_class = self.data, ""
        return attempt(self, lambda: draw_shelf(context.scene, self.data, form.seed))


class INNERWALK_MT_data(bpy.types.Menu):
    """Data sets of the bridge"""

    bl_label = "Data Set"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws one entry for each data set."""
        for data in data_sets():
            text = translated("{name}: {count:,} pictures", name=data["name"], count=data["count"])
            self.layout.operator("innerwalk.choose_data", text=text).data = data["name"]


CLASSES = (
    INNERWALK_OT_draw_shelf,
    INNERWALK_OT_page_shelf,
    INNERWALK_OT_hold,
    INNERWALK_OT_place_held,
    INNERWALK_OT_search_class,
    INNERWALK_OT_choose_data,
    INNERWALK_MT_data,
)
