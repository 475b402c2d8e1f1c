"""Panels are moved, scaled, aligned, and hung back at their planned places."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ...torch_bridge.recording.errors import SceneError, UnknownName
from ..properties import PANEL_LAYER_ID, PANEL_PLANNED_PLACE
from ..scene.panels import link_drawing, panel_of, size_of, world_of

BESIDE = 0.3
"""Metres between two panels in a row."""


def move(scene: bpy.types.Scene, layer: str, by: Sequence[float]) -> str:
    """Move a panel by (x, y, z) metres of the world. Raises UnknownName."""
    panel = panel_of(scene, layer)
    panel.matrix_world = Matrix.Translation(by) @ world_of(panel)
    link_drawing.renew(scene)
    return f"{layer} moved by {', '.join(f'{part:.2f}' for part in by)} m"


def scale(scene: bpy.types.Scene, layer: str, factor: float) -> str:
    """Make a panel larger or smaller; the middle of its lower edge stays. Raises SceneError or UnknownName."""
    panel = panel_of(scene, layer)
    if not 0 < factor < float("inf"):
        raise SceneError(f"factor {factor}: a number above 0 is needed")
    foot = Matrix.Translation(_foot(panel))
    panel.matrix_world = world_of(panel) @ foot @ Matrix.Scale(factor, 4) @ foot.inverted()
    link_drawing.renew(scene)
    return f"{layer} scaled by {factor:g}"


def align(scene: bpy.types.Scene, layers: Sequence[str], how: str) -> str:
    """Align panels with the first of them: its "height", "parallel" to it, or in a "row" beside it.

    Raises UnknownName, or SceneError for less than two layers.
    """
    if how not in WAYS:
        raise UnknownName("way to align", how, WAYS)
    chosen = [panel_of(scene, layer) for layer in layers]
    if len(chosen) < 2:
        raise SceneError("two panels or more are needed to align them; select them first")
    WAYS[how](chosen)
    link_drawing.renew(scene)
    return f"{len(chosen)} panels aligned: {how}"


def reset_layout(scene: bpy.types.Scene, layers: Sequence[str] = ()) -> str:
    """Hang these panels, or all, back at their planned places. Raises UnknownName."""
    every = [one for one in scene.objects if PANEL_LAYER_ID in one and PANEL_PLANNED_PLACE in one]
    chosen = [panel_of(scene, layer) for layer in layers] or every
    for panel in chosen:
        panel.matrix_world = Matrix(np.reshape(panel[PANEL_PLANNED_PLACE], (4, 4)).tolist())
    link_drawing.renew(scene)
    return f"{len(chosen)} panels are back at their places"


def _foot(panel: bpy.types.Object) -> Vector:
    """The middle of its lower edge, in its own axes."""
    return Vector((size_of(panel)[0] / 2, 0.0, 0.0))


def _height(chosen: Sequence[bpy.types.Object]) -> None:
    """All lower edges as high as the first one's."""
    wanted = (world_of(chosen[0]) @ _foot(chosen[0])).z
    for panel in chosen[1:]:
        rise = wanted - (world_of(panel) @ _foot(panel)).z
        panel.matrix_world = Matrix.Translation((0.0, 0.0, rise)) @ world_of(panel)


def _parallel(chosen: Sequence[bpy.types.Object]) -> None:
    """All turned as the first one, about the middle of their lower edges."""
    turn = world_of(chosen[0]).to_quaternion()
    for panel in chosen[1:]:
        panel.matrix_world = _turned(panel, turn, world_of(panel) @ _foot(panel))


def _row(chosen: Sequence[bpy.types.Object]) -> None:
    """One beside the other in the plane of the first, to its right, on one line."""
    first = world_of(chosen[0])
    turn = first.to_quaternion()
    right = turn @ Vector((1.0, 0.0, 0.0))
    edge = first @ (2 * _foot(chosen[0]))
    for panel in chosen[1:]:
        half = right * (size_of(panel)[0] * world_of(panel).to_scale().x / 2)
        edge += right * BESIDE + half
        panel.matrix_world = _turned(panel, turn, edge)
        edge += half


def _turned(panel: bpy.types.Object, turn: Quaternion, foot: Vector) -> Matrix:
    """The matrix of a panel that is turned so, as large as it is, and stands with its foot there."""
    at = Matrix.LocRotScale(None, turn, world_of(panel).to_scale())
    return Matrix.Translation(foot - at @ _foot(panel)) @ at


WAYS: dict[str, Callable[[Sequence[bpy.types.Object]], None]] = {"height": _height, "parallel": _parallel, "row": _row}
"""What align can do."""
