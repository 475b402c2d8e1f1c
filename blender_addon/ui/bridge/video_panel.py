"""The sidebar's film: a video file or a camera that the network looks at while a person does."""

from __future__ import annotations

import bpy

from ..common.operators import (attempt, session)
from .input_panel import Looks


class INNERWALK_OT_play_film(Looks, bpy.types.Operator):
    """Let the network look at a video file or camera; without a new one, go on with the film"""

    bl_idname = "innerwalk.play_film"
    bl_label = "Play"

    source: bpy.props.StringProperty(
        name="Source", description="A video file of the bridge's machine, or camera:0", subtype="FILE_PATH"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; the panels follow frame by frame."""
        from ...actions import play_film

        return attempt(self, lambda: play_film(context.scene, self.source))


class Plays(Looks):
    """Operators about a film that is open."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where one is."""
        if not super().poll(context):
            return False
        cls.poll_message_set("Open a film first")
        return context.scene.name in session().films


class INNERWALK_OT_pause_film(Plays, bpy.types.Operator):
    """Stay at the frame that is shown"""

    bl_idname = "innerwalk.pause_film"
    bl_label = "Pause"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Pause."""
        from ...actions import pause_film

        return attempt(self, lambda: pause_film(context.scene))


class INNERWALK_OT_step_film(Plays, bpy.types.Operator):
    """Pause, and go one frame on or back"""

    bl_idname = "innerwalk.step_film"
    bl_label = "Step"

    by: bpy.props.IntProperty(name="Frames", description="How many; below 0 back", default=1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Step."""
        from ...actions import step_film

        return attempt(self, lambda: step_film(context.scene, self.by))


class INNERWALK_OT_keep_film(Plays, bpy.types.Operator):
    """Write what is seen on the time axis, a key for each frame that is shown"""

    bl_idname = "innerwalk.keep_film"
    bl_label = "Keep"

    keep: bpy.props.BoolProperty(name="Keep", description="Begin, or end", default=True)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin or end."""
        from ...actions import keep_film

        return attempt(self, lambda: keep_film(context.scene, self.keep))


class INNERWALK_OT_stop_film(Plays, bpy.types.Operator):
    """Let go of the film; the last frame stays"""

    bl_idname = "innerwalk.stop_film"
    bl_label = "Close Film"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Close it."""
        from ...actions import stop_film

        return attempt(self, lambda: stop_film(context.scene))


class INNERWALK_PT_film(bpy.types.Panel):
    """A film or a camera as input"""

    bl_label = "Film"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Innerwalk"
    bl_parent_id = "INNERWALK_PT_input"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The source, then play, pause, step and keep."""
        form, layout = context.scene.innerwalk, self.layout
        playing = session().films.get(context.scene.name)
        layout.prop(form, "film", text="")
        if playing is None:
            layout.operator("innerwalk.play_film", icon="PLAY").source = form.film
            return
        row = layout.row(align=True)
        row.operator("innerwalk.step_film", text="", icon="FRAME_PREV").by = -1
        if playing.running:
            row.operator("innerwalk.pause_film", text="Pause", icon="PAUSE")
        else:
            row.operator("innerwalk.play_film", text="Play", icon="PLAY").source = ""
        row.operator("innerwalk.step_film", text="", icon="FRAME_NEXT").by = 1
        row.operator("innerwalk.keep_film", text="", icon="REC", depress=playing.kept).keep = not playing.kept
        row.operator("innerwalk.stop_film", text="", icon="X")
        layout.label(text=f"{playing.name}, frame {context.scene.get(VIDEO_FRAME, 0)}")


CLASSES = (
    INNERWALK_OT_play_film, INNERWALK_OT_pause_film, INNERWALK_OT_step_film, INNERWALK_OT_keep_film,
    INNERWALK_OT_stop_film, INNERWALK_PT_film,
)  # fmt: skip
