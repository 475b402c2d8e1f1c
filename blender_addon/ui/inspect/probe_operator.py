"""The value under the cursor."""

from __future__ import annotations

import bpy

from ...properties import HALL_VERSION
from . import inspector_state


class INNERWALK_OT_probe(bpy.types.Operator):
    """Show the value under the cursor until Esc or the right button is pressed"""

    bl_idname = "innerwalk.probe"
    bl_label = "Value Under the Cursor"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a hall that is on a screen."""
        cls.poll_message_set("Open a hall in a 3D view first")
        return not bpy.app.background and HALL_VERSION in context.scene

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start."""
        context.window_manager.modal_handler_add(self)
        self._tell(context, "point at a tile")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Follow the cursor; everything but the end is left to others, so that one can walk meanwhile."""
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            self.cancel(context)
            return {"FINISHED"}
        if event.type == "MOUSEMOVE":
            self._tell(context, under(context, event.mouse_x, event.mouse_y))
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Leave no word behind."""
        inspector_state.state.pointed = ""
        context.workspace.status_text_set(None)
        inspector_state.redraw()

    def _tell(self, context: bpy.types.Context, words: str) -> None:
        if words != inspector_state.state.pointed:
            inspector_state.state.pointed = words
            context.workspace.status_text_set(f"{words or 'no tile here'}     Esc: stop")
            inspector_state.redraw()


def under(context: bpy.types.Context, x: int, y: int) -> str:
    """What is under a point of the window, in words; "" where there is no tile. Raises nothing a person can cause."""
    from ....torch_bridge.recording.errors import InnerwalkError
    from ...actions import probe
    from ...scene.hall.pick import (pick_at, pixel_of)

    for area in context.window.screen.areas:
        for region in area.regions if area.type == "VIEW_3D" else ():
            left, low = x - region.x, y - region.y
            if region.type != "WINDOW" or not (0 <= left < region.width and 0 <= low < region.height):
                continue
            with context.temp_override(area=area, region=region):
                hit = pick_at(bpy.context, left, low)
            pixel = pixel_of(hit) if hit is not None else None
            if hit is None or pixel is None:
                return ""
            try:
                return probe(context.scene, hit.layer, hit.channel, *pixel)
            except InnerwalkError as error:
                return str(error)
    return ""


CLASSES = (INNERWALK_OT_probe,)
