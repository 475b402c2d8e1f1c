"""The sidebar's Series panel: recordings along an axis, such as the frames of a video, shown one at a time."""

from __future__ import annotations

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...properties import SERIES_FOLDER, SERIES_SHARE
from ..common.operators import ActionOperator, FolderOperator, NeedsHall
from ..common.panels import HallPanel
from ..common.translating import translated


class INNERWALK_OT_open_series(NeedsHall, FolderOperator):
    """Open a series of recordings of this hall's network"""

    bl_idname = "innerwalk.open_series"
    bl_label = "Open Series"

    directory: bpy.props.StringProperty(name="Series", description="Folder of the series", subtype="DIR_PATH")


class NeedsSeries:
    """Operators that need a hall with a series."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the hall has a series."""
        cls.poll_message_set("Open a series first")
        return SERIES_FOLDER in context.scene


class INNERWALK_OT_close_series(NeedsSeries, ActionOperator):
    """Close the series and remove its keys; the hall keeps what it shows"""

    bl_idname = "innerwalk.close_series"
    bl_label = "Close Series"


class INNERWALK_OT_show_position(NeedsSeries, ActionOperator):
    """Show another entry of the series"""

    bl_idname = "innerwalk.show_position"
    bl_label = "Show Entry"

    position: bpy.props.IntProperty(name="Position", description="Number of the entry, from 0", min=0)


class INNERWALK_OT_key_series(NeedsSeries, ActionOperator):
    """Key all entries of the series on the timeline, whose range becomes the keyed frames"""

    bl_idname = "innerwalk.key_series"
    bl_label = "Key Series"

    first: bpy.props.IntProperty(name="First", description="Frame of the scene for the first entry", default=1, min=0)
    step: bpy.props.IntProperty(name="Step", description="Frames of the scene for each entry", default=1, min=1)


class INNERWALK_PT_series(HallPanel, bpy.types.Panel):
    """A series of recordings"""

    bl_label = "Series"
    bl_order = 55
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draws which entry is shown, and the buttons."""
        scene, layout = context.scene, self.layout
        if SERIES_FOLDER not in scene:
            layout.operator("innerwalk.open_series", icon="FILE_FOLDER")
            return
        try:
            self._draw_entry(scene)
        except InnerwalkError as error:
            layout.label(text=str(error), icon="ERROR")
        row = layout.row(align=True)
        row.operator("innerwalk.open_series", text="Open Another", icon="FILE_FOLDER")
        row.operator("innerwalk.close_series", text="", icon="X")

    def _draw_entry(self, scene: bpy.types.Scene) -> None:
        from ...scene.hall.series import position_at, series_of

        series, layout = series_of(scene), self.layout
        position, last = position_at(scene, scene.frame_current_final), len(series) - 1
        entry = {"axis": series.axis.capitalize(), "position": position + 1, "count": len(series)}
        layout.label(text=translated("{axis} {position} of {count}", **entry), translate=False)
        row = layout.row(align=True)
        row.operator("innerwalk.show_position", text="", icon="TRIA_LEFT").position = max(position - 1, 0)
        row.prop(scene, SERIES_SHARE, text=series.labels[position], slider=True, translate=False)
        row.operator("innerwalk.show_position", text="", icon="TRIA_RIGHT").position = min(position + 1, last)
        layout.operator("innerwalk.key_series", icon="KEYFRAME")


def _get_share(scene: bpy.types.Scene) -> float:
    """Returns how far the entry that is shown is along the series, 0 to 100."""
    from ...scene.hall.series import position_at, series_of

    try:
        last = len(series_of(scene)) - 1
        return 100.0 * position_at(scene, scene.frame_current_final) / last if last else 0.0
    except InnerwalkError:
        return 0.0


def _set_share(scene: bpy.types.Scene, share: float) -> None:
    """Shows the entry that is nearest to a share of the series, 0 to 100; its errors go to the sidebar."""
    from ...actions import show_position
    from ...live.session import current
    from ...scene.hall.series import series_of

    try:
        show_position(scene, round(share / 100.0 * (len(series_of(scene)) - 1)))
    except InnerwalkError as error:
        current().report_error(error, [scene.session_uid])


_share = bpy.props.FloatProperty(  # type: ignore[func-returns-value]
    name="Entry",
    description="Drag through the entries of the series, from the first to the last",
    subtype="PERCENTAGE",
    min=0.0,
    max=100.0,
    precision=0,
    get=_get_share,
    set=_set_share,
)


CLASSES = (
    INNERWALK_OT_open_series,
    INNERWALK_OT_close_series,
    INNERWALK_OT_show_position,
    INNERWALK_OT_key_series,
    INNERWALK_PT_series,
)
PROPERTIES = ((bpy.types.Scene, SERIES_SHARE, _share),)
