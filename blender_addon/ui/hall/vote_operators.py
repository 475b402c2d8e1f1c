"""Votes about the pictures of a generator: which are wrong, and which of its units go with that."""

from __future__ import annotations

from typing import Any

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...properties import HALL_VERSION, NETWORK_NAME
from ..common.operators import ActionOperator, LayerOperator, NeedsHall, NeedsNetwork
from ..common.paths import entered_path
from ..common.text_lines import draw_lines
from ..common.translating import translatable, translated

VOTES: tuple[tuple[int, str, Any], ...] = (
    (1, translatable("Artefact"), "ERROR"),
    (0, translatable("Fine"), "CHECKMARK"),
)
"""Vote, text and icon of each button."""


class INNERWALK_OT_vote_artefact(NeedsHall, ActionOperator):
    """Vote about this generated picture; the same vote again takes it back"""

    bl_idname = "innerwalk.vote_artefact"
    bl_label = "Vote for Artefact"

    artefact: bpy.props.BoolProperty(
        name="Artefact", description="Something is wrong in the picture", default=True, options={"SKIP_SAVE"}
    )


class INNERWALK_OT_find_artefact_units(NeedsNetwork, LayerOperator):
    """Label the channels of the layer that are most active in the pictures which you voted wrong"""

    bl_idname = "innerwalk.find_artefact_units"
    bl_label = "Find Artefact Units"

    top: bpy.props.IntProperty(name="Channels", description="How many get a label", default=5, min=1, max=10_000)


class INNERWALK_OT_save_votes(NeedsHall, ActionOperator):
    """Write your votes as a CSV file for innerwalk gan_dissect --votes"""

    bl_idname = "innerwalk.save_votes"
    bl_label = "Save Votes"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="File", description="A CSV file", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*.csv", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the file; votes.csv is filled in."""
        self.filepath = self.filepath or "votes.csv"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def arguments(self, context: bpy.types.Context) -> dict[str, Any]:
        """Makes the path absolute."""
        return {"filepath": entered_path(self.filepath)}


def draw_votes(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draws buttons to vote about the generated picture that the hall shows, and to find the units of artefacts."""
    if HALL_VERSION not in scene or not scene.get(NETWORK_NAME):
        return
    from ...actions.naming import noise_seed
    from ...live.stored_choices import artefact_votes

    try:
        seed = noise_seed(scene)
        votes = artefact_votes(scene) if seed is not None else {}
    except InnerwalkError as error:  # a stranger's file
        draw_lines(layout, str(error), "ERROR")
        return
    if seed is None:
        return
    row = layout.row(align=True)
    for vote, text, icon in VOTES:
        button = row.operator("innerwalk.vote_artefact", text=text, icon=icon, depress=votes.get(seed) == vote)
        button.artefact = bool(vote)
    if votes:
        row = layout.row(align=True)
        text = translated("Find Artefact Units ({count})", count=len(votes))
        row.operator("innerwalk.find_artefact_units", text=text, icon="VIEWZOOM", translate=False)
        row.operator("innerwalk.save_votes", text="", icon="EXPORT")


CLASSES = (INNERWALK_OT_vote_artefact, INNERWALK_OT_find_artefact_units, INNERWALK_OT_save_votes)
