"""The sidebar's Input panel: picture files, noise, data sets on the shelf; and files that are dropped on the hall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bpy

from ....torch_bridge.recording.errors import InnerwalkError, SceneError
from ...properties import HELD_PICTURE, NETWORK_NAME, SELECTED_CHANNEL, SELECTED_LAYER
from ..common.operators import ActionOperator, NeedsNetwork, session
from ..common.panels import SidebarPanel
from ..common.paths import entered_path
from ..common.text_lines import draw_lines
from ..common.translating import translatable, translated
from .shelf_operators import data_sets

if TYPE_CHECKING:
    from ....torch_bridge.recording import Endpoint

PICTURES, TENSORS = ".png;.jpg;.jpeg;.bmp;.gif;.tif;.tiff;.webp", ".npy;.npz;.safetensors"
FILE_EXTENSIONS = f"{PICTURES};{TENSORS};.wav;.mp3;.flac;.ogg;.m4a;.aiff;.dcm;.nii;.gz"


class INNERWALK_OT_place_input(NeedsNetwork, ActionOperator):
    """Run the network on a picture; every panel shows its new values"""

    bl_idname = "innerwalk.place_input"
    bl_label = "Place Input"

    filepath: bpy.props.StringProperty(
        name="File",
        description="A picture, an array (.npy, .npz, .safetensors), a sound or a scan (DICOM, NIfTI)",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    data: bpy.props.StringProperty(
        name="Data Set", description="Data set to take a picture from", options={"SKIP_SAVE"}
    )
    index: bpy.props.IntProperty(
        name="Index", description="Number of the picture in the data set", min=0, options={"SKIP_SAVE"}
    )
    noise: bpy.props.IntProperty(
        name="Noise", description="Seed of noise; -1 for no noise", default=-1, min=-1, options={"SKIP_SAVE"}
    )
    text: bpy.props.StringProperty(
        name="Text", description="Words for the model's vocabulary, or ids:101,2054,102", options={"SKIP_SAVE"}
    )
    layer: bpy.props.StringProperty(
        name="Layer", description="Layer of a channel whose map to use as the input", options={"SKIP_SAVE"}
    )
    channel: bpy.props.IntProperty(
        name="Channel", description="Number of that channel", default=-1, min=-1, options={"SKIP_SAVE"}
    )
    argument: bpy.props.StringProperty(
        name="Argument",
        description="Name of the network's input; empty for the first that takes pictures, else the first",
        options={"SKIP_SAVE"},
    )
    hall: bpy.props.StringProperty(
        name="Hall", description="Another hall that gets the input instead of this one", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(
        default="*" + FILE_EXTENSIONS.replace(";", ";*"), options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Places what is set, a dropped file in the hall under the cursor; else asks for a file."""
        if self.filepath and not self.hall:
            self.hall, self.argument = _board_under_cursor(context, event)
        if self.filepath or self.data or self.noise >= 0 or self.text or self.layer:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute."""
        return super().arguments(context) | {"filepath": entered_path(self.filepath)}


def _board_under_cursor(context: bpy.types.Context, event: bpy.types.Event) -> tuple[str, str]:
    """Returns the other hall, "" for this one, and the argument of the input whose frame is under the cursor."""
    from ...scene.hall.board_hits import hit_argument
    from ...scene.hall.ray_hits import find_hall, pick_at

    if context.region is None or context.region.type != "WINDOW" or context.region_data is None:
        return "", ""
    hit = pick_at(context, event.mouse_region_x, event.mouse_region_y)
    if hit is None or hit.role != "input":
        return "", ""
    hall = find_hall(context.scene, hit)
    return hall.name if hall != context.scene else "", hit_argument(hall, hit)


class INNERWALK_OT_turn_slices(ActionOperator):
    """Show the slices of a volume along its next axis"""

    bl_idname = "innerwalk.turn_slices"
    bl_label = "Turn Slices"

    endpoint: bpy.props.StringProperty(
        name="Input or Output", description="Name of the input or output; empty for all volumes"
    )


class INNERWALK_FH_input(bpy.types.FileHandler):
    """A picture that is dropped on a hall becomes its input"""

    bl_idname = "INNERWALK_FH_input"
    bl_label = "Input of the Network"
    bl_import_operator = "innerwalk.place_input"
    bl_file_extensions = FILE_EXTENSIONS

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Whether the file is dropped on the 3D view of a hall that follows a network."""
        return context.area is not None and context.area.type == "VIEW_3D" and INNERWALK_OT_place_input.poll(context)


ICONS: Mapping[str, Any] = {
    "picture": "IMAGE_DATA",
    "tokens": "FONT_DATA",
    "waveform": "SOUND",
    "volume": "VOLUME_DATA",
}
"""Icons of kinds of inputs."""


def _shown_endpoints(scene: bpy.types.Scene) -> tuple[tuple[Endpoint, ...], tuple[Endpoint, ...]]:
    """Returns the inputs of a hall's network, without a name if it is the only one, and its outputs."""
    from ....torch_bridge.recording import Endpoint
    from ...plans.shown_endpoints import shown_inputs
    from ...scene.hall import store

    try:
        recording = store.read_description(scene)
    except InnerwalkError:  # a stranger's file; what it holds is said elsewhere
        return (Endpoint("", "", "picture"),), ()
    inputs = shown_inputs(recording)
    return inputs if len(inputs) > 1 else tuple(replace(own, name="") for own in inputs), recording.outputs


def _draw_turn(layout: bpy.types.UILayout, shown: Endpoint) -> None:
    """Draws the button that turns a volume."""
    if shown.kind == "volume":
        layout.operator("innerwalk.turn_slices", icon="ORIENTATION_GIMBAL").endpoint = shown.name


class INNERWALK_PT_input(SidebarPanel, bpy.types.Panel):
    """Input of the network"""

    bl_label = "Input"
    bl_order = 10

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the hall follows a network of the bridge."""
        return session().state == "ready" and bool(context.scene.get(NETWORK_NAME))

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the buttons for files, noise and the selected channel, then the shelf."""
        form, layout = context.scene.innerwalk, self.layout
        inputs, outputs = _shown_endpoints(context.scene)
        for shown in inputs:
            self._draw_input(layout, form, shown)
        for shown in (own for own in outputs if own.kind == "volume"):
            layout.label(text=translated("{name}: volume", name=shown.name), icon="EXPORT")
            _draw_turn(layout, shown)
        column = layout.column(align=True)
        column.prop(form, "seed", text="Seed of Noise")
        self._draw_channel(column, context)
        if data_sets():
            layout.menu("INNERWALK_MT_data", text=form.data or "Choose a Data Set", icon="IMAGE_DATA")
        if form.data:
            self._draw_shelf(context)
        else:
            layout.label(text="Or drop a picture on the hall", icon="INFO")

    def _draw_input(self, layout: bpy.types.UILayout, form: Any, shown: Endpoint) -> None:
        """Draws the buttons of one of the network's inputs: a file and noise, and a line of text for tokens."""
        column = layout.column(align=True)
        if shown.name:
            column.label(text=f"{shown.name}: {shown.kind}", icon=ICONS.get(shown.kind, "DOT"))
        if shown.kind == "tokens":
            row = column.row(align=True)
            row.prop(form, "words", text="")
            button = row.operator("innerwalk.place_input", text="", icon="PLAY")
            button.text, button.argument = form.words, shown.name
        _draw_turn(column, shown)
        row = column.row(align=True)
        what = translatable("Open Picture") if shown.kind == "picture" else translatable("Open File")
        row.operator("innerwalk.place_input", text=what, icon="FILE_IMAGE").argument = shown.name
        button = row.operator("innerwalk.place_input", text="Noise", icon="RNDCURVE")
        button.noise, button.argument = form.seed, shown.name

    def _draw_channel(self, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
        layer, channel = context.scene.get(SELECTED_LAYER, ""), context.scene.get(SELECTED_CHANNEL, -1)
        if layer and channel >= 0:
            text = translated("Channel {channel} of {layer}", channel=channel, layer=layer)
            button = layout.operator("innerwalk.place_input", text=text, icon="IMAGE_REFERENCE")
            button.layer, button.channel = layer, channel

    def _draw_shelf(self, context: bpy.types.Context) -> None:
        from ...live.stored_choices import shelved

        try:
            form, content = context.scene.innerwalk, shelved(context.scene)
        except SceneError as error:  # a stranger's file
            draw_lines(self.layout, str(error), "ERROR")
            return
        column = self.layout.column(align=True)
        column.operator("innerwalk.search_class", text=form.of_class or "All Classes", icon="VIEWZOOM")
        row = column.row(align=True)
        draw = row.operator("innerwalk.draw_shelf", text="Other Pictures", icon="FILE_REFRESH")
        draw.data, draw.of_class, draw.seed = form.data, form.of_class, content.get("seed", -1) + 1
        arrows: Any = ((-1, "TRIA_LEFT"), (1, "TRIA_RIGHT"))
        for step, icon in arrows:
            page = row.operator("innerwalk.page_shelf", text="", icon=icon)
            page.data, page.of_class, page.page = form.data, form.of_class, max(0, content.get("page", -step) + step)
        if context.scene.get(HELD_PICTURE, -1) >= 0:
            self.layout.operator("innerwalk.place_held", text="Place It in the Frame", icon="IMPORT")
        elif content:
            draw_lines(self.layout, "Click a picture on the desk, then the input's frame", "INFO")


CLASSES = (
    INNERWALK_OT_place_input,
    INNERWALK_OT_turn_slices,
    INNERWALK_FH_input,
    INNERWALK_PT_input,
)
