"""Layers and halls to files, a little at a time, so that the interface stays awake."""

from __future__ import annotations

import time
from typing import Literal

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...properties import (HALL_VERSION, SELECTED_LAYER)
from ..common.operators import attempt

BUSY = 0.02
"""Seconds of work at a time."""
REST = 0.03
"""Seconds until the next."""
NEWS = 0.5
"""Seconds between two words about it: each draws the window anew, which takes longer than the work without a GPU."""


class _Export(bpy.types.Operator):
    """What both exports do: at once for a script, in steps for a person."""

    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(
        name="Folder", description="Where a new folder with the files is made", subtype="DIR_PATH"
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall."""
        cls.poll_message_set("Open a hall first")
        return HALL_VERSION in context.scene

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin, or do it all where nobody watches."""
        from ...actions import exporting

        work = exporting.steps(context.scene, bpy.path.abspath(self.directory), self._layer(context))
        if bpy.app.background or not self.options.is_invoke:
            return attempt(self, lambda: exporting.run(work))
        self._work, self._silent = work, 0.0
        self._timer = context.window_manager.event_timer_add(REST, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Some steps at each tick; Esc stops, and nothing is left."""
        from ...time_slicing import some

        if event.type == "ESC" and event.value == "PRESS":
            return self._end(context, "INFO", "the export was stopped; nothing was written")
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            what, share = some(self._work, BUSY)
        except StopIteration as done:
            return self._end(context, "INFO", done.value)
        except (InnerwalkError, OSError) as error:
            return self._end(context, "ERROR", str(error))
        if time.monotonic() > self._silent:
            context.workspace.status_text_set(f"Exporting {what}   {share:.0%}   Esc: stop")
            self._silent = time.monotonic() + NEWS
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Take away what isn't finished, and the timer."""
        self._work.close()
        context.window_manager.event_timer_remove(self._timer)
        context.workspace.status_text_set(None)

    def _end(self, context: bpy.types.Context, level: Literal["INFO", "ERROR"], line: str) -> set[str]:
        self.cancel(context)
        self.report({level}, line)
        return {"CANCELLED" if level == "ERROR" else "FINISHED"}


class INNERWALK_OT_export_layer(_Export):
    """Write a layer as 16-bit pictures, values (safetensors) and a table of statistics (CSV)"""

    bl_idname = "innerwalk.export_layer"
    bl_label = "Export Layer"

    layer: bpy.props.StringProperty(name="Layer", description="Id of the layer; empty: the one that is looked at")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the folder; the layer is named beside it."""
        self.layer = self._layer(context)
        return super().invoke(context, event)

    def _layer(self, context: bpy.types.Context) -> str:
        return self.layer or str(context.scene.get(SELECTED_LAYER, ""))

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where a layer is looked at."""
        cls.poll_message_set("Click a panel of a hall first")
        return bool(HALL_VERSION in context.scene and context.scene.get(SELECTED_LAYER))


class INNERWALK_OT_export_hall(_Export):
    """Write every panel as 16-bit pictures, values (safetensors) and a table of statistics (CSV)"""

    bl_idname = "innerwalk.export_hall"
    bl_label = "Export Hall"

    def _layer(self, context: bpy.types.Context) -> str:
        return ""


def draw_export(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Entries of File > Export."""
    menu.layout.operator(INNERWALK_OT_export_hall.bl_idname, text="Innerwalk Hall (PNG, CSV, safetensors)")
    menu.layout.operator(INNERWALK_OT_export_layer.bl_idname, text="Innerwalk Layer (PNG, CSV, safetensors)")


CLASSES = (INNERWALK_OT_export_layer, INNERWALK_OT_export_hall)
MENUS = ((bpy.types.TOPBAR_MT_file_export, draw_export),)
