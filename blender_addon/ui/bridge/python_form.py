"""What the sidebar offers where no Python with PyTorch is found: a line to copy, another look, and to make one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy

from ...extension import EXTENSION_ID
from ...model_names import listed_models
from ...python_finder import install_command, program_in
from ...python_setup import BUILDS, PythonSetup
from ..common.text_lines import draw_lines
from ..common.translating import translated
from .settings import bridge_settings, default_python

TICK_SECONDS = 0.5
"""Seconds between two looks at the work."""
REMOVAL_SECONDS = 5.0
"""Seconds that Blender waits at most, when it ends, until a cancelled environment is removed."""
_running: list[PythonSetup] = []
"""The environment that is being made, or the last one that was."""


def environment_folder(create: bool = False) -> str:
    """Returns the folder of the environment among the extension's own files; "" where Innerwalk is no extension."""
    try:
        return str(bpy.utils.extension_path_user(EXTENSION_ID, path="python", create=create))
    except ValueError:
        return ""


class INNERWALK_OT_check_python(bpy.types.Operator):
    """Look again for a Python that has PyTorch"""

    bl_idname = "innerwalk.check_python"
    bl_label = "Check Again"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forgets what was found and searches."""
        default_python.cache_clear()
        listed_models.cache_clear()
        found = default_python()
        self.report({"INFO"} if found else {"WARNING"}, found or "No Python with PyTorch was found")
        return {"FINISHED"}


class INNERWALK_OT_copy_command(bpy.types.Operator):
    """Copy this line, to paste it into a terminal"""

    bl_idname = "innerwalk.copy_command"
    bl_label = "Copy Line"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Puts the line on the clipboard."""
        context.window_manager.clipboard = install_command()
        self.report({"INFO"}, "Copied; paste it into a terminal, then check again")
        return {"FINISHED"}


class INNERWALK_OT_set_up_python(bpy.types.Operator):
    """Download PyTorch into a folder of this extension; asks first, and can be cancelled"""

    bl_idname = "innerwalk.set_up_python"
    bl_label = "Set Up PyTorch"
    bl_options = {"INTERNAL"}

    build: bpy.props.EnumProperty(
        name="Build",
        description="Which build of PyTorch to download",
        items=[(name, build.title, build.size) for name, build in BUILDS.items()],
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether Blender may go online, and there is a folder for it."""
        cls.poll_message_set("Blender is offline: choose Allow Online Access in Preferences > System")
        if not bpy.app.online_access:
            return False
        cls.poll_message_set("Only where Innerwalk is installed as an extension")
        return bool(environment_folder())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks, and says what is downloaded to where."""
        return set(
            context.window_manager.invoke_props_dialog(
                self, width=460, title="Set Up PyTorch?", confirm_text="Download"
            )
        )

    def draw(self, context: bpy.types.Context) -> None:
        """Draws what will be done, with its size."""
        column = self.layout.column()
        column.label(text="PyTorch is downloaded with pip")
        column.label(text="into this folder of the extension:")
        column.label(text=environment_folder())
        column.label(text="Nothing else on this computer is changed")
        column.prop(self, "build", expand=True)
        column.label(text=BUILDS[self.build].size, icon="INFO")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Starts the work."""
        if _running and not _running[0].ended:
            self.report({"ERROR"}, "PyTorch is being set up already")
            return {"CANCELLED"}
        _running[:] = [PythonSetup(sys.executable, Path(environment_folder(create=True)), BUILDS[self.build].options)]
        if not bpy.app.timers.is_registered(_look):
            bpy.app.timers.register(_look, first_interval=TICK_SECONDS, persistent=True)
        return {"FINISHED"}


class INNERWALK_OT_cancel_python(bpy.types.Operator):
    """Stop the download; what was made is removed"""

    bl_idname = "innerwalk.cancel_python"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ends the work."""
        _cancel()
        return {"FINISHED"}


def draw_missing_python(layout: Any) -> None:
    """Draws what to do where no Python with PyTorch is found."""
    box = layout.box()
    draw_lines(box, "Your own networks run in a Python with PyTorch, beside Blender; none was found here", "INFO")
    setup = _running[0] if _running else None
    if setup is not None and not setup.ended:
        row = box.row(align=True)
        row.progress(factor=setup.progress, text=setup.status)
        row.operator("innerwalk.cancel_python", text="", icon="X")
        return
    if setup is not None and setup.state == "failed":
        draw_lines(box, translated("PyTorch wasn't set up: {reason}", reason=setup.error), "ERROR")
    column = box.column()
    column.operator("innerwalk.set_up_python", text="Set Up PyTorch …", icon="IMPORT")
    box.label(text="Or in a terminal")
    draw_lines(box, install_command())
    row = box.row(align=True)
    row.operator("innerwalk.copy_command", icon="COPYDOWN")
    row.operator("innerwalk.check_python", icon="FILE_REFRESH")


def _look() -> float | None:
    """Redraws while the work goes on, and uses the environment once it is made."""
    from ...live.timer import redraw

    redraw()
    setup = _running[0] if _running else None
    if setup is not None and not setup.ended:
        return TICK_SECONDS
    if setup is not None and setup.state == "done":
        bridge_settings(bpy.context).python = program_in(setup.folder)
        default_python.cache_clear()
    return None


def _cancel() -> None:
    for setup in _running:
        setup.cancel()


def _close() -> None:
    """Ends the work and the looks at it when the extension is disabled, as when Blender ends."""
    _cancel()
    for setup in _running:
        setup.wait(REMOVAL_SECONDS)
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)


CLASSES = (
    INNERWALK_OT_check_python,
    INNERWALK_OT_copy_command,
    INNERWALK_OT_set_up_python,
    INNERWALK_OT_cancel_python,
)
CLOSING = (_close,)
