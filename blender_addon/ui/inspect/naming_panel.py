"""The sidebar's Name This Unit panel: what people have named the selected channel, and the operators that name it."""

from __future__ import annotations

from typing import Any

import bpy

from ....torch_bridge.recording.channels import parse_channels
from ...naming.categories import CATEGORIES, MAX_PICTURES
from ...properties import HALL_VERSION, NAMING_NOTE, NAMING_WORD, SELECTED_CHANNEL, SELECTED_LAYER
from ..common.operators import ActionOperator, NeedsHall
from ..common.panels import SidebarPanel
from ..common.paths import entered_path
from ..common.text_lines import draw_lines
from ..common.translating import translatable, translated

ICONS: tuple[Any, ...] = ("SCENE_DATA", "SURFACE_DATA", "OBJECT_DATA", "MESH_DATA", "TEXTURE", "COLOR")
"""Of the categories."""
MOST_NAMES = 6
"""That stand in the sidebar."""
LABELS = (
    translatable("Scene"),
    translatable("Region or Surface"),
    translatable("Object"),
    translatable("Object Part"),
    translatable("Texture or Material"),
    translatable("Simple Elements or Colours"),
)
"""Of the categories, as buttons."""


def _words(owner: Any, context: bpy.types.Context, text: str) -> list[str]:
    from ...actions.naming import words_used
    from ...scene.panels.label_search import label_names

    scene = context.scene
    found = dict.fromkeys([*words_used(scene), *label_names(scene)]) if HALL_VERSION in scene else {}
    return [word for word in found if text.lower() in word.lower()]


class NeedsChannel:
    """Operators that need a hall with a selected channel."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a channel of a hall is selected."""
        cls.poll_message_set("Click a tile of a channel first")
        return HALL_VERSION in context.scene and context.scene.get(SELECTED_CHANNEL, -1) >= 0


class UnitOperator(NeedsChannel, ActionOperator):
    """An action of one person on one unit, by default on the selected one."""

    layer: bpy.props.StringProperty(
        name="Layer", description="Id of the layer; empty for the selected one", options={"SKIP_SAVE"}
    )
    channel: bpy.props.IntProperty(
        name="Channel",
        description="Number of the channel; -1 for the selected one",
        default=-1,
        min=-1,
        options={"SKIP_SAVE"},
    )
    rater: bpy.props.StringProperty(
        name="Your Name", description="Empty for that in the preferences", options={"SKIP_SAVE"}
    )


class INNERWALK_OT_name_unit(UnitOperator):
    """Name this unit with the word above, as something of this category"""

    bl_idname = "innerwalk.name_unit"
    bl_label = "Name This Unit"

    word: bpy.props.StringProperty(
        name="Word",
        description="What the unit detects, such as lamp",
        search=_words,
        search_options={"SUGGESTION"},
        options={"SKIP_SAVE"},
    )
    category: bpy.props.EnumProperty(
        name="Category",
        description="What kind of thing the word is",
        items=[
            (name, label, "", icon, number)
            for number, (name, label, icon) in enumerate(zip(CATEGORIES, LABELS, ICONS, strict=True))
        ],
        default="object",
    )
    misfits: bpy.props.StringProperty(
        name="Pictures That Don't Fit",
        description="Numbers from 1, such as 2,7; empty for those that are marked",
        options={"SKIP_SAVE"},
    )
    shown: bpy.props.IntProperty(
        name="Pictures Shown",
        description="How many you have looked at; 0 for those that the hall shows",
        min=0,
        max=MAX_PICTURES,
        options={"SKIP_SAVE"},
    )
    note: bpy.props.StringProperty(name="Note", description="What else is to be said", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the word unless it is set."""
        if self.properties.is_property_set("word"):
            return self.execute(context)
        return set(context.window_manager.invoke_props_dialog(self))

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Parses the numbers of pictures. Raises InputError."""
        return super().arguments(context) | {"misfits": parse_channels(self.misfits) if self.misfits else None}


class INNERWALK_OT_remove_name(UnitOperator):
    """Remove your own name for this unit"""

    bl_idname = "innerwalk.remove_name"
    bl_label = "Remove Name"


class INNERWALK_OT_mark_misfit(NeedsChannel, ActionOperator):
    """Mark this picture as not fitting the unit's name, or take the mark away"""

    bl_idname = "innerwalk.mark_misfit"
    bl_label = "Doesn't Fit"

    picture: bpy.props.IntProperty(name="Picture", description="Its number, row by row from 1", default=1, min=1)


class NamesFile(NeedsHall, ActionOperator):
    """Base of the operators that ask for a file of names."""

    filepath: bpy.props.StringProperty(
        name="File", description="A file of names, .jsonl", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*.jsonl", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute."""
        return {"filepath": entered_path(self.filepath)}


class INNERWALK_OT_import_names(NamesFile):
    """Add the names that others have given to the units of this network"""

    bl_idname = "innerwalk.import_names"
    bl_label = "Import Names"


class INNERWALK_OT_export_names(NamesFile):
    """Write all names of this hall's units to a file"""

    bl_idname = "innerwalk.export_names"
    bl_label = "Export Names"
    bl_options = {"REGISTER"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the file; names.jsonl is filled in."""
        self.filepath = self.filepath or "names.jsonl"
        return super().invoke(context, event)


class INNERWALK_PT_naming(SidebarPanel, bpy.types.Panel):
    """What people have named the selected channel"""

    bl_label = "Name This Unit"
    bl_order = 28
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a channel of a hall is selected."""
        return HALL_VERSION in context.scene and context.scene.get(SELECTED_CHANNEL, -1) >= 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the names so far, the pictures to mark, the word and a button for each category."""
        from ...actions.naming import own_name
        from ...scene.panels import find_panel
        from ...scene.panels.given_names import describe_given, read_given_names

        scene, layout = context.scene, self.layout
        panel = find_panel(scene, scene.get(SELECTED_LAYER, ""))
        names = read_given_names(panel).get(scene[SELECTED_CHANNEL], ()) if panel is not None else ()
        for name in names[:MOST_NAMES]:
            row = layout.row()
            draw_lines(row.column(), describe_given([name]), "USER")
            if name.rater == own_name():
                row.operator("innerwalk.remove_name", text="", icon="X")
        if len(names) > MOST_NAMES:
            layout.label(text=translated("and {count} more", count=len(names) - MOST_NAMES), translate=False)
        _draw_pictures(layout, scene)
        manager = context.window_manager
        layout.prop(manager, NAMING_WORD, text="", icon="SORTALPHA", placeholder="What does it detect?")
        layout.prop(manager, NAMING_NOTE, text="", icon="TEXT", placeholder="What else is to be said")
        word, column = str(getattr(manager, NAMING_WORD)).strip(), layout.column(align=True)
        column.enabled = bool(word)
        for category, label, icon in zip(CATEGORIES, LABELS, ICONS, strict=True):
            button = column.operator("innerwalk.name_unit", text=translated(label), icon=icon, translate=False)
            button.word, button.category, button.note = word, category, str(getattr(manager, NAMING_NOTE))
        row = layout.row(align=True)
        row.operator("innerwalk.import_names", text="Import", icon="IMPORT")
        row.operator("innerwalk.export_names", text="Export", icon="EXPORT")


def _draw_pictures(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draws a button for each of the channel's top images, laid out as they are, to mark those that don't fit."""
    from ....torch_bridge.recording import near_square
    from ...actions.naming import marked_misfits, shown_pictures

    count = shown_pictures(scene)
    if not count:
        draw_lines(layout, "Show the method Top images to mark the pictures that don't fit", "INFO")
        return
    marks = marked_misfits(scene, scene[SELECTED_LAYER], scene[SELECTED_CHANNEL])
    layout.label(text="Click the pictures that don't fit")
    grid = layout.grid_flow(row_major=True, columns=near_square(count)[1], even_columns=True, align=True)
    for picture in range(1, count + 1):
        icon: Any = "X" if picture in marks else "CHECKMARK"
        button = grid.operator(
            "innerwalk.mark_misfit", text=str(picture), icon=icon, depress=picture in marks, translate=False
        )
        button.picture = picture


_word = bpy.props.StringProperty(  # type: ignore[func-returns-value]
    name="Word",
    description="What the unit detects, such as lamp; words that were used before are offered",
    search=_words,
    search_options={"SUGGESTION"},
)


_note = bpy.props.StringProperty(name="Note", description="What else is to be said")  # type: ignore[func-returns-value]


CLASSES = (
    INNERWALK_OT_name_unit,
    INNERWALK_OT_remove_name,
    INNERWALK_OT_mark_misfit,
    INNERWALK_OT_import_names,
    INNERWALK_OT_export_names,
    INNERWALK_PT_naming,
)
PROPERTIES = ((bpy.types.WindowManager, NAMING_WORD, _word), (bpy.types.WindowManager, NAMING_NOTE, _note))
