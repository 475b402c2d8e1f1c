"""Operators that export layers and halls to files, and their entries in File > Export.

The work is done in slices by a timer, so that the interface stays responsive.
"""

from __future__ import annotations

import time
from typing import Any, Literal

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...properties import SELECTED_LAYER
from ..common.operators import ActionOperator, NeedsHall, NeedsSelectedLayer
from ..common.paths import entered_folder, entered_path
from ..common.translating import translated

SLICE_SECONDS = 0.02
"""Seconds of work at a time."""
PAUSE_SECONDS = 0.03
"""Seconds between two slices."""
STATUS_SECONDS = 0.5
"""Seconds between two status texts: each redraws the window, which takes longer than a slice where there is no GPU."""


class ExportOperator(ActionOperator):
    """Exports at once when a script calls it, in slices when a person does."""

    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(
        name="Folder", description="Where to make a new folder with the files", subtype="DIR_PATH"
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Exports everything, or starts the timer."""
        if bpy.app.background or not self.options.is_invoke:
            return super().execute(context)
        from ...actions.exporting import export_steps

        self._steps, self._next_status = export_steps(context.scene, **self.arguments(context)), 0.0
        self._timer = context.window_manager.event_timer_add(PAUSE_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute."""
        return super().arguments(context) | {"directory": entered_folder(self.directory)}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Runs a slice at each tick of the timer; Esc stops, and no file is left."""
        from ...time_slicing import run_for

        if event.type == "ESC" and event.value == "PRESS":
            return self._finish(context, "INFO", "the export was stopped; nothing was written")
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            item, share = run_for(self._steps, SLICE_SECONDS)
        except StopIteration as stop:
            return self._finish(context, "INFO", stop.value.line)
        except (InnerwalkError, OSError) as error:
            return self._finish(context, "ERROR", str(error))
        if time.monotonic() > self._next_status:
            context.workspace.status_text_set(
                translated("Exporting {item}   {share:.0%}   Esc: stop", item=item, share=share)
            )
            self._next_status = time.monotonic() + STATUS_SECONDS
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Removes unfinished files and the timer."""
        self._steps.close()
        context.window_manager.event_timer_remove(self._timer)
        context.workspace.status_text_set(None)

    def _finish(self, context: bpy.types.Context, level: Literal["INFO", "ERROR"], message: str) -> set[str]:
        self.cancel(context)
        self.report({level}, message)
        return {"CANCELLED" if level == "ERROR" else "FINISHED"}


class INNERWALK_OT_export_layer(NeedsSelectedLayer, ExportOperator):
    """Export a layer as 16-bit pictures, values (safetensors) and a table of statistics (CSV)"""

    bl_idname = "innerwalk.export_layer"
    bl_label = "Export Layer"

    layer: bpy.props.StringProperty(name="Layer", description="Id of the layer; empty for the selected one")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the folder, and shows the layer beside it."""
        self.layer = self.layer or context.scene[SELECTED_LAYER]
        return super().invoke(context, event)

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Fills in the selected layer."""
        return super().arguments(context) | {"layer": self.layer or context.scene[SELECTED_LAYER]}


class INNERWALK_OT_export_hall(NeedsHall, ExportOperator):
    """Export all panels as 16-bit pictures, values (safetensors) and a table of statistics (CSV)"""

    bl_idname = "innerwalk.export_hall"
    bl_label = "Export Hall"


class INNERWALK_OT_export_figure(NeedsHall, ActionOperator):
    """Write the hall as a flat figure for print: SVG, with text and lines that can be edited, or PNG"""

    bl_idname = "innerwalk.export_figure"
    bl_label = "Export Flat Figure"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(name="Figure", description="File of the figure", subtype="FILE_PATH")
    filter_glob: bpy.props.StringProperty(default="*.svg;*.png", options={"HIDDEN"})
    preset: bpy.props.EnumProperty(
        name="Preset",
        description="What the figure shows",
        items=(
            ("plate", "Plate", "The whole network on a page"),
            ("grid", "Grid", "All channels of a layer"),
            ("overlay", "Overlay", "What explains the answer, laid over the input"),
            ("chart", "Chart", "What the method has found in all layers, as charts"),
        ),
    )
    layer: bpy.props.StringProperty(
        name="Layer", description="Layer of a grid or an overlay, or whose strongest channels a plate calls out"
    )
    width: bpy.props.FloatProperty(
        name="Width", description="Of the page, mm", default=170.0, min=50.0, max=1200.0, step=100, precision=0
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute, and adds the suffix that a person may leave out."""
        path = entered_path(self.filepath)
        if not path.lower().endswith(".png"):
            path = bpy.path.ensure_ext(path, ".svg")
        return super().arguments(context) | {"filepath": path}


def draw_export(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draws the entries of File > Export."""
    menu.layout.operator(INNERWALK_OT_export_hall.bl_idname, text="Innerwalk Hall (PNG, CSV, safetensors)")
    menu.layout.operator(INNERWALK_OT_export_layer.bl_idname, text="Innerwalk Layer (PNG, CSV, safetensors)")
    menu.layout.operator(INNERWALK_OT_export_figure.bl_idname, text="Innerwalk Flat Figure (SVG, PNG)")


CLASSES = (INNERWALK_OT_export_layer, INNERWALK_OT_export_hall, INNERWALK_OT_export_figure)
MENUS = ((bpy.types.TOPBAR_MT_file_export, draw_export),)
