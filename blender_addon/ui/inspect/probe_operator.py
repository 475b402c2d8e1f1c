"""Operator that shows the value under the cursor."""

from __future__ import annotations

import bpy

from ...properties import HALL_VERSION
from ..common.translating import translated
from . import inspector_state


class INNERWALK_OT_probe(bpy.types.Operator):
    """Show the value under the cursor until Esc or the right mouse button is pressed"""

    bl_idname = "innerwalk.probe"
    bl_label = "Value Under the Cursor"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the scene is a hall on a screen."""
        cls.poll_message_set("Open a hall in a 3D view first")
        return not bpy.app.background and HALL_VERSION in context.scene

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Starts to follow the cursor."""
        context.window_manager.modal_handler_add(self)
        self._show(context, "point at a tile")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Follows the cursor; passes on all other events, so that the view can be moved meanwhile."""
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            self.cancel(context)
            return {"FINISHED"}
        if event.type == "MOUSEMOVE":
            self._show(context, value_under_cursor(context, event.mouse_x, event.mouse_y))
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Clears the status bar and the sidebar."""
        inspector_state.state.cursor_value = ""
        context.workspace.status_text_set(None)
        inspector_state.redraw()

    def _show(self, context: bpy.types.Context, text: str) -> None:
        if text != inspector_state.state.cursor_value:
            inspector_state.state.cursor_value = text
            context.workspace.status_text_set(
                translated("{text}     Esc: stop", text=text or translated("No tile here"))
            )
            inspector_state.redraw()


def value_under_cursor(context: bpy.types.Context, x: int, y: int) -> str:
    """Returns the value at a point of the window in words, "" if no tile is there. Errors become the text."""
    from ....torch_bridge.recording.errors import InnerwalkError
    from ...actions import probe
    from ...scene.hall.ray_hits import pick_at, pixel_of

    for area in context.window.screen.areas:
        for region in area.regions if area.type == "VIEW_3D" else ():
            left, bottom = x - region.x, y - region.y
            if region.type != "WINDOW" or not (0 <= left < region.width and 0 <= bottom < region.height):
                continue
            with context.temp_override(area=area, region=region):
                hit = pick_at(bpy.context, left, bottom)
            pixel = pixel_of(hit) if hit is not None else None
            if hit is None or pixel is None:
                return ""
            try:
                return probe(context.scene, hit.layer, hit.channel, *pixel)
            except InnerwalkError as error:
                return str(error)
    return ""


CLASSES = (INNERWALK_OT_probe,)
