"""The sidebar's Video panel: runs the network on a video file or a camera."""

from __future__ import annotations

from typing import Any

import bpy

from ...properties import VIDEO_FRAME
from ..common.operators import ActionOperator, FolderOperator, NeedsNetwork, session
from ..common.panels import SidebarPanel
from ..common.paths import entered_path
from ..common.translating import translated


class SourceOperator(NeedsNetwork):
    """Operators that name a video or a camera."""

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute; a camera is none."""
        found: dict[str, Any] = super().arguments(context)  # type: ignore[misc]  # of the operator
        return found | {"source": entered_path(found["source"])}


class INNERWALK_OT_play_video(SourceOperator, ActionOperator):
    """Run the network on a video file or a camera; without a new source, play the open video"""

    bl_idname = "innerwalk.play_video"
    bl_label = "Play"

    source: bpy.props.StringProperty(
        name="Source", description="A video file on the bridge's machine, or camera:0", subtype="FILE_PATH"
    )


class NeedsVideo(NeedsNetwork):
    """Operators that need an open video."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the hall has an open video."""
        if not super().poll(context):
            return False
        cls.poll_message_set("Open a video first")
        return session().video_of(context.scene.session_uid) is not None


class INNERWALK_OT_pause_video(NeedsVideo, ActionOperator):
    """Pause at the current frame"""

    bl_idname = "innerwalk.pause_video"
    bl_label = "Pause"


class INNERWALK_OT_step_video(NeedsVideo, ActionOperator):
    """Pause, and go one frame forward or back"""

    bl_idname = "innerwalk.step_video"
    bl_label = "Step"

    by: bpy.props.IntProperty(name="Frames", description="Number of frames; negative to go back", default=1)


class INNERWALK_OT_record_series(SourceOperator, FolderOperator):
    """Run the network on each frame of the video, write a series of them, and key it on the timeline"""

    bl_idname = "innerwalk.record_series"
    bl_label = "Record Series"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(name="Series", description="Folder to write the series to", subtype="DIR_PATH")
    source: bpy.props.StringProperty(
        name="Source", description="A video file on the bridge's machine; empty for the open video"
    )
    first: bpy.props.IntProperty(name="First", description="First frame of the video, from 0", default=0, min=0)
    step: bpy.props.IntProperty(
        name="Step", description="Record every frame of the video, every second, …", default=1, min=1
    )


class INNERWALK_OT_stop_recording(NeedsNetwork, ActionOperator):
    """End the recording of the series; what is recorded is opened and keyed"""

    bl_idname = "innerwalk.stop_recording"
    bl_label = "Stop Recording"
    bl_options = {"REGISTER"}


class INNERWALK_OT_stop_video(NeedsVideo, ActionOperator):
    """Close the video; its last frame stays"""

    bl_idname = "innerwalk.stop_video"
    bl_label = "Close Video"


class INNERWALK_PT_video(SidebarPanel, bpy.types.Panel):
    """A video or a camera as input"""

    bl_label = "Video"
    bl_parent_id = "INNERWALK_PT_input"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the source, and the buttons of the player."""
        form, layout = context.scene.innerwalk, self.layout
        playing = session().video_of(context.scene.session_uid)
        layout.prop(form, "film", text="")
        if playing is None:
            layout.operator("innerwalk.play_video", icon="PLAY").source = form.film
            self._draw_recording(context.scene, form.film)
            return
        row = layout.row(align=True)
        row.operator("innerwalk.step_video", text="", icon="FRAME_PREV").by = -1
        if playing.running:
            row.operator("innerwalk.pause_video", text="Pause", icon="PAUSE")
        else:
            row.operator("innerwalk.play_video", text="Play", icon="PLAY").source = ""
        row.operator("innerwalk.step_video", text="", icon="FRAME_NEXT").by = 1
        row.operator("innerwalk.stop_video", text="", icon="X")
        layout.label(
            text=translated("{name}, frame {frame}", name=playing.name, frame=context.scene.get(VIDEO_FRAME, 0))
        )
        self._draw_recording(context.scene, "")

    def _draw_recording(self, scene: bpy.types.Scene, source: str) -> None:
        """Draws the button that records a series, or how far it is."""
        job, row = session().hall(scene.session_uid).series, self.layout.row(align=True)
        if job is None:
            row.operator("innerwalk.record_series", icon="REC").source = source
        else:
            done = translated("Recorded {done} of {count}", done=job.done, count=job.count)
            row.label(text=done if job.count else translated("Opening the video"))
            row.operator("innerwalk.stop_recording", text="", icon="CANCEL")


CLASSES = (
    INNERWALK_OT_play_video,
    INNERWALK_OT_pause_video,
    INNERWALK_OT_step_video,
    INNERWALK_OT_record_series,
    INNERWALK_OT_stop_recording,
    INNERWALK_OT_stop_video,
    INNERWALK_PT_video,
)
