"""The sidebar's input: a file, noise, pictures of a data set on the shelf; and files that are dropped on the hall."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ...properties import (HELD_PICTURE, NETWORK_NAME, SELECTED_CHANNEL, SELECTED_LAYER, SHELF_CONTENT)
from ..common.operators import (attempt, session)
from ..common.text_lines import draw_lines
from .bridge_panel import Asks

PICTURES = ".png;.jpg;.jpeg;.bmp;.gif;.tif;.tiff;.webp;.npy"


class Looks(Asks):
    """Operators about the input of a hall that follows a network of the bridge."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only there."""
        if not super().poll(context):
            return False
        cls.poll_message_set("This scene follows no network of the bridge: build its hall, or let it follow one")
        return bool(context.scene.get(NETWORK_NAME))


class INNERWALK_OT_place_input(Looks, bpy.types.Operator):
    """Let the network look at a picture, and see every panel change"""

    bl_idname = "innerwalk.place_input"
    bl_label = "Place Input"

    filepath: bpy.props.StringProperty(
        name="File", description="A picture or .npy file", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    data: bpy.props.StringProperty(name="Data Set", description="A picture of this data set", options={"SKIP_SAVE"})
    index: bpy.props.IntProperty(name="Index", description="Which of its pictures", min=0, options={"SKIP_SAVE"})
    noise: bpy.props.IntProperty(
        name="Noise", description="Seed of noise; -1 for none", default=-1, min=-1, options={"SKIP_SAVE"}
    )
    layer: bpy.props.StringProperty(name="Layer", description="A channel's picture: its layer", options={"SKIP_SAVE"})
    channel: bpy.props.IntProperty(
        name="Channel", description="And its number", default=-1, min=-1, options={"SKIP_SAVE"}
    )
    hall: bpy.props.StringProperty(
        name="Hall", description="Another hall, which looks in this one's place", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*" + PICTURES.replace(";", ";*"), options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for a file, unless something is named or was dropped: then it goes into the frame under the cursor."""
        if self.filepath and not self.hall:
            self.hall = _hall_under(context, event)
        if self.filepath or self.data or self.noise >= 0 or self.layer:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask; the panels follow."""
        from ...actions import place_input

        given = (self.filepath, self.data, self.index, self.noise, self.layer, self.channel, self.hall)
        return attempt(self, lambda: place_input(context.scene, *given))


def _hall_under(context: bpy.types.Context, event: bpy.types.Event) -> str:
    """The name of the hall beside whose input's frame is under the cursor; "" where it is this one's, or none."""
    from ...scene.hall.pick import (hall_of, pick_at)

    if context.region is None or context.region.type != "WINDOW" or context.region_data is None:
        return ""
    hit = pick_at(context, event.mouse_region_x, event.mouse_region_y)
    hall = hall_of(context.scene, hit) if hit is not None and hit.role == "input" else context.scene
    return hall.name if hall != context.scene else ""


class INNERWALK_FH_input(bpy.types.FileHandler):
    """A picture that is dropped on a hall goes into its input's frame"""

    bl_idname = "INNERWALK_FH_input"
    bl_label = "Input of the Network"
    bl_import_operator = "innerwalk.place_input"
    bl_file_extensions = PICTURES

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """On the 3D view of a hall that follows a network."""
        return context.area is not None and context.area.type == "VIEW_3D" and INNERWALK_OT_place_input.poll(context)


class INNERWALK_OT_draw_shelf(Looks, bpy.types.Operator):
    """Lay pictures drawn at random from a data set on the shelf"""

    bl_idname = "innerwalk.draw_shelf"
    bl_label = "Draw Pictures"
    bl_options = {"REGISTER"}

    data: bpy.props.StringProperty(name="Data Set", description="Its name on the bridge")
    seed: bpy.props.IntProperty(name="Seed", description="Another seed draws others", min=0)
    of_class: bpy.props.StringProperty(name="Class", description="Only of this class")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask; the shelf follows."""
        from ...actions import draw_shelf

        return attempt(self, lambda: draw_shelf(context.scene, self.data, self.seed, self.of_class))


class INNERWALK_OT_page_shelf(Looks, bpy.types.Operator):
    """Lay a page of a data set on the shelf, in its own order"""

    bl_idname = "innerwalk.page_shelf"
    bl_label = "Page"
    bl_options = {"REGISTER"}

    data: bpy.props.StringProperty(name="Data Set", description="Its name on the bridge")
    page: bpy.props.IntProperty(name="Page", description="Counted from 0", min=0)
    of_class: bpy.props.StringProperty(name="Class", description="Only of this class")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask; the shelf follows."""
        from ...actions import page_shelf

        return attempt(self, lambda: page_shelf(context.scene, self.data, self.page, self.of_class))


class INNERWALK_OT_hold(Looks, bpy.types.Operator):
    """Take a picture from the shelf, to be placed into the input's frame"""

    bl_idname = "innerwalk.hold"
    bl_label = "Take Picture"

    index: bpy.props.IntProperty(name="Picture", description="Its number on the shelf; -1 puts it back", min=-1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it."""
        from ...actions import hold

        return attempt(self, lambda: hold(context.scene, self.index))


class INNERWALK_OT_place_held(Looks, bpy.types.Operator):
    """Place the picture that is held into the input's frame"""

    bl_idname = "innerwalk.place_held"
    bl_label = "Place Held Picture"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Place it."""
        from ...actions import place_held

        return attempt(self, lambda: place_held(context.scene))


ALL = "all classes"
_kept: list[tuple[str, str, str]] = []


def classes(operator: bpy.types.Operator, context: bpy.types.Context) -> list[tuple[str, str, str]]:
    """Classes of the data set that is chosen; kept, because Blender doesn't keep the texts of such a list."""
    link = session().link
    data = link.described.get("data", []) if link else []
    named: list[str] = next((one["classes"] for one in data if one["name"] == context.scene.innerwalk.data), [])
    _kept[:] = [(name, name, "") for name in (ALL, *named)]
    return _kept


class INNERWALK_OT_search_class(Looks, bpy.types.Operator):
    """Search the data set's classes, and lay pictures of one of them on the shelf"""

    bl_idname = "innerwalk.search_class"
    bl_label = "Search Class"
    bl_property = "found"
    bl_options = {"INTERNAL"}

    found: bpy.props.EnumProperty(name="Class", items=classes)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """A field to type in."""
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Draw pictures of it."""
        from ...actions import draw_shelf

        form = context.scene.innerwalk
        form.of_class = "" if self.found == ALL else self.found
        return attempt(self, lambda: draw_shelf(context.scene, form.data, form.seed, form.of_class))


class INNERWALK_OT_choose_data(Looks, bpy.types.Operator):
    """Choose a data set of the bridge, for the shelf and for methods about data"""

    bl_idname = "innerwalk.choose_data"
    bl_label = "Data Set"
    bl_options = {"INTERNAL"}

    data: bpy.props.StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Choose it, and draw from it."""
        from ...actions import draw_shelf

        form = context.scene.innerwalk
        form.data, form.of_class = self.data, ""
        return attempt(self, lambda: draw_shelf(context.scene, self.data, form.seed))


class INNERWALK_MT_data(bpy.types.Menu):
    """Data sets of the bridge"""

    bl_label = "Data Set"

    def draw(self, context: bpy.types.Context) -> None:
        """One entry each."""
        link = session().link
        for one in link.described.get("data", []) if link else []:
            text = f"{one['name']}: {one['count']:,} pictures"
            self.layout.operator("innerwalk.choose_data", text=text).data = one["name"]


class INNERWALK_PT_input(bpy.types.Panel):
    """What the network looks at"""

    bl_label = "Input"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"
    bl_order = 10

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall that follows a network."""
        return session().state == "ready" and bool(context.scene.get(NETWORK_NAME))

    def draw(self, context: bpy.types.Context) -> None:
        """File and noise, then the shelf."""
        form, layout = context.scene.innerwalk, self.layout
        column = layout.column(align=True)
        column.operator("innerwalk.place_input", text="Open Picture", icon="FILE_IMAGE")
        row = column.row(align=True)
        row.operator("innerwalk.place_input", text="Noise", icon="RNDCURVE").noise = form.seed
        row.prop(form, "seed", text="")
        self._channel(column, context)
        if session().link.described["data"]:
            layout.menu("INNERWALK_MT_data", text=form.data or "Lay Out a Data Set", icon="IMAGE_DATA")
        if form.data:
            self._shelf(context)
        else:
            layout.label(text="Or drop a picture on the hall", icon="INFO")

    def _channel(self, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
        layer, channel = context.scene.get(SELECTED_LAYER, ""), context.scene.get(SELECTED_CHANNEL, -1)
        if layer and channel >= 0:
            text = f"Channel {channel} of {layer}"
            button = layout.operator("innerwalk.place_input", text=text, icon="IMAGE_REFERENCE")
            button.layer, button.channel = layer, channel

    def _shelf(self, context: bpy.types.Context) -> None:
        form, there = context.scene.innerwalk, json.loads(context.scene.get(SHELF_CONTENT, "{}"))
        column = self.layout.column(align=True)
        column.operator("innerwalk.search_class", text=form.of_class or "All Classes", icon="VIEWZOOM")
        row = column.row(align=True)
        drawn = row.operator("innerwalk.draw_shelf", text="Draw Others", icon="FILE_REFRESH")
        drawn.data, drawn.of_class, drawn.seed = form.data, form.of_class, there.get("seed", -1) + 1
        arrows: Any = ((-1, "TRIA_LEFT"), (1, "TRIA_RIGHT"))
        for step, icon in arrows:
            page = row.operator("innerwalk.page_shelf", text="", icon=icon)
            page.data, page.of_class, page.page = form.data, form.of_class, max(0, there.get("page", -step) + step)
        if context.scene.get(HELD_PICTURE, -1) >= 0:
            self.layout.operator("innerwalk.place_held", text="Place It in the Frame", icon="IMPORT")
        elif there:
            draw_lines(self.layout, "Click a picture on the desk, then the input's frame", "INFO")


CLASSES = (
    INNERWALK_OT_place_input, INNERWALK_FH_input, INNERWALK_OT_draw_shelf,
    INNERWALK_OT_page_shelf, INNERWALK_OT_hold, INNERWALK_OT_place_held, INNERWALK_OT_search_class,
    INNERWALK_OT_choose_data, INNERWALK_MT_data, INNERWALK_PT_input,
)  # fmt: skip
