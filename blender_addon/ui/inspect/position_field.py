"""The number field that chooses which frame, window or other position of an input the selected layer shows."""

from __future__ import annotations

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...properties import NETWORK_NAME, POSITION_NUMBER, SELECTED_LAYER
from ..common.operators import LayerOperator, NeedsNetwork, session
from ..common.translating import translated


class INNERWALK_OT_choose_position(NeedsNetwork, LayerOperator):
    """Show another frame, window or other position of the input on the panel of a layer that works on several"""

    bl_idname = "innerwalk.choose_position"
    bl_label = "Choose Position"

    position: bpy.props.IntProperty(
        name="Position", description="Number of the frame or window, from 0", min=0, options={"SKIP_SAVE"}
    )


def draw_position(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draws the field, such as "Window 3 of 64", for a layer with positions in a hall that follows a network."""
    _, positions, axis = _selected_position(scene)
    if positions > 1 and scene.get(NETWORK_NAME):
        row = layout.row(align=True)
        row.enabled = session().state == "ready"
        row.prop(scene, POSITION_NUMBER, text=axis.capitalize())
        row.label(text=translated("of {count:,}", count=positions))


def _selected_position(scene: bpy.types.Scene) -> tuple[int, int, str]:
    """Returns the selected layer's `position_of`; (0, 1, "") where no panel is selected."""
    from ...actions import position_of
    from ...scene.panels import find_panel

    layer = scene.get(SELECTED_LAYER, "")
    return position_of(scene, layer) if find_panel(scene, layer) is not None else (0, 1, "")


def _get_position(scene: bpy.types.Scene) -> int:
    return _selected_position(scene)[0]


def _set_position(scene: bpy.types.Scene, position: int) -> None:
    """Chooses a position, the last one if there are fewer."""
    from ...actions import choose_position

    shown, positions, _ = _selected_position(scene)
    position = min(position, positions - 1)
    if position == shown:
        return
    try:
        choose_position(scene, scene[SELECTED_LAYER], position)
    except InnerwalkError as error:  # a property can't report it; the bridge's panel shows it
        session().report_error(error, [scene.session_uid])


_position_number = bpy.props.IntProperty(  # type: ignore[func-returns-value]
    name="Position",
    description="Which frame, window or other position of the input the panel shows, from 0",
    min=0,
    get=_get_position,
    set=_set_position,
)
CLASSES = (INNERWALK_OT_choose_position,)
PROPERTIES = ((bpy.types.Scene, POSITION_NUMBER, _position_number),)
