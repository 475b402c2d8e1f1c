"""The sidebar's Answer panel: what the network answers, and how that has changed with the last input or ablation."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...properties import HALL_VERSION, INPUT_TAG
from ..common.operators import session
from ..common.panels import SidebarPanel

MOST = 5
"""Answers that are listed."""
LEAST_CHANGE = 0.0005
"""Share by which an answer has changed at least if that is shown."""
NAME_SHARE, CHANGE_SHARE = 0.42, 0.3
"""Shares of a row for the name, and of the rest for the change."""


class INNERWALK_PT_answer(SidebarPanel, bpy.types.Panel):
    """The network's answer"""

    bl_label = "Answer"
    bl_order = 26

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the hall's network has answered with classes or shares."""
        return HALL_VERSION in context.scene and bool(_best_classes(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the most probable classes with their change; bars repeat what the numbers say."""
        from ...plans.number_text import format_percent

        column = self.layout.column(align=True)
        for name, share, change in answer_rows(context.scene):
            row = column.split(factor=NAME_SHARE)
            row.label(text=name, translate=False)
            numbers = row.split(factor=1 - CHANGE_SHARE if change else 1.0)
            numbers.progress(factor=share, text=format_percent(share), translate=False)
            if change:
                numbers.label(text=change)


def answer_rows(scene: bpy.types.Scene) -> list[tuple[str, float, str]]:
    """Returns (name, share, change) of the most probable classes, best first; change: "+3.1", "new", or "" for none.

    The change, in points of a hundred, is to the answer that the hall has shown before.
    """
    hall = session().hall(scene.session_uid)
    is_latest = hall.shown == scene.get(INPUT_TAG)  # not after undo, nor for an entry of a series
    former = hall.former_answer if is_latest else ()
    known = {index: share for index, _, share in former}
    rows = []
    for index, name, share in _best_classes(scene)[:MOST]:
        change = ("new" if former else "") if index not in known else _change_text(share - known[index])
        rows.append((name, share, change))
    return rows


def _change_text(by: float) -> str:
    return f"{100 * by:+.1f}".replace("-", "−") if abs(by) >= LEAST_CHANGE else ""


def _best_classes(scene: bpy.types.Scene) -> Sequence[tuple[int, str, float]]:
    from ...scene.hall import store

    try:
        return store.read_description(scene).prediction.top
    except InnerwalkError:  # a stranger's file; what it holds is said elsewhere
        return ()


CLASSES = (INNERWALK_PT_answer,)
