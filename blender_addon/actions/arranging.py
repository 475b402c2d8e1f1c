"""Panels are moved, scaled and aligned; blocks are collapsed to one panel each and expanded with the maps they had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ...torch_bridge.recording import Layer
from ...torch_bridge.recording.arguments import name_list
from ...torch_bridge.recording.errors import SceneError, UnknownName
from ..layout import blocks
from ..layout.blocks import ALL, Block, matching_blocks
from ..properties import PANEL_LAYER_ID, PANEL_PLANNED_PLACE
from ..scene.hall import store
from ..scene.hall.relayout import refit_hall
from ..scene.panels import link_drawing, panel_of, panels, size_of, world_matrix
from .selecting import select, selected

ROW_GAP = 0.3
"""Metres between two panels in a row."""


def move(scene: bpy.types.Scene, layer: str, by: Sequence[float]) -> str:
    """Moves a layer's panel.

    by: (x, y, z) in metres, along the world's axes. Returns a line that says so. Raises SceneError for numbers that
    aren't finite, or UnknownName.
    """
    panel = panel_of(scene, layer)
    if not np.isfinite(by).all():
        raise SceneError(f"{layer} can't move by {', '.join(f'{part:g}' for part in by)} m: finite numbers are needed")
    panel.matrix_world = Matrix.Translation(by) @ world_matrix(panel)
    link_drawing.update_links(scene)
    return f"{layer} moved by {', '.join(f'{part:.2f}' for part in by)} m"


def scale(scene: bpy.types.Scene, layer: str, factor: float) -> str:
    """Scales a layer's panel about the middle of its lower edge.

    factor: such as 2 for twice the size. Returns a line that says so. Raises SceneError for a factor that isn't
    positive and finite, or UnknownName.
    """
    panel = panel_of(scene, layer)
    if not 0 < factor < float("inf"):
        raise SceneError(f"factor {factor}: a positive number is needed")
    foot = Matrix.Translation(_foot(panel))
    panel.matrix_world = world_matrix(panel) @ foot @ Matrix.Scale(factor, 4) @ foot.inverted()
    link_drawing.update_links(scene)
    return f"{layer} scaled by {factor:g}"


def align(scene: bpy.types.Scene, layers: str | Sequence[str], how: str) -> str:
    """Aligns the panels of layers with the first of them.

    how: "height" to lower or raise them to its height, "parallel" to turn them like it, "row" to put them in a row
    beside it. Returns a line that says so. Raises UnknownName, or SceneError for fewer than two layers.
    """
    if how not in ALIGNMENTS:
        raise UnknownName("way to align", how, ALIGNMENTS)
    panels = [panel_of(scene, layer) for layer in name_list(layers)]
    if len(panels) < 2:
        raise SceneError("two panels or more are needed to align them; select them first")
    ALIGNMENTS[how](panels)
    link_drawing.update_links(scene)
    return f"{len(panels)} panels aligned: {how}"


def reset_layout(scene: bpy.types.Scene, layers: str | Sequence[str] = ()) -> str:
    """Moves the panels of these layers, () for all, back to where the layout planned them.

    Returns a line that says how many were moved. Raises UnknownName.
    """
    movable_panels = [panel for panel in scene.objects if PANEL_LAYER_ID in panel and PANEL_PLANNED_PLACE in panel]
    panels = [panel_of(scene, layer) for layer in name_list(layers)] or movable_panels
    for panel in panels:
        panel.matrix_world = Matrix(np.reshape(panel[PANEL_PLANNED_PLACE], (4, 4)).tolist())
    link_drawing.update_links(scene)
    return f"{len(panels)} panels are back at their places"


def collapse(scene: bpy.types.Scene, block: str) -> str:
    """Collapses each block that matches a glob such as `layer3.*`, or "all", to one panel.

    The other panels leave the scene and are kept in the file with their maps. Returns a line that says what is
    collapsed. Raises UnknownName if no block matches.
    """
    layers, appearance = _layers(scene), store.read_appearance(scene)
    matches = matching_blocks(layers, [block])
    globs = (*appearance.collapse, block)
    if matching_blocks(layers, globs) == matching_blocks(layers, appearance.collapse):
        return f"{block} is collapsed already"
    refit_hall(scene, replace(appearance, collapse=globs))
    if (layer := selected(scene).layer) not in panels(scene):
        represented_by = _representative(layers, matching_blocks(layers, globs), layer)
        select(scene, represented_by if represented_by in panels(scene) else "")
    return f"{_describe(matches)} collapsed: the hall now shows {len(panels(scene))} panels"


def expand(scene: bpy.types.Scene, block: str) -> str:
    """Shows the panels of a collapsed block, or of "all" of them, again.

    Returns a line that says what is expanded. Raises UnknownName if the block isn't collapsed.
    """
    layers, appearance = _layers(scene), store.read_appearance(scene)
    found = matching_blocks(layers, appearance.collapse)
    names = [collapsed.name for collapsed in found]
    if block != ALL and block not in names:
        raise UnknownName("collapsed block", block, names)
    globs = () if block == ALL else _without(layers, appearance.collapse, block)
    refit_hall(scene, replace(appearance, collapse=globs))
    return f"{_describe(found) if block == ALL else block} expanded: the hall now shows {len(panels(scene))} panels"


def collapsed_blocks(scene: bpy.types.Scene) -> list[str]:
    """Returns the names of the collapsed blocks, in the network's order."""
    return [block.name for block in matching_blocks(_layers(scene), store.read_appearance(scene).collapse)]


def collapsible_blocks(scene: bpy.types.Scene) -> list[str]:
    """Returns the names of the blocks that can be collapsed, in the network's order, also of blocks of blocks."""
    return list(dict.fromkeys(block.name for block in blocks.collapsible_blocks(_layers(scene))))


def _foot(panel: bpy.types.Object) -> Vector:
    """Returns the middle of a panel's lower edge, in metres in its own coordinates."""
    return Vector((size_of(panel)[0] / 2, 0.0, 0.0))


def _height(panels: Sequence[bpy.types.Object]) -> None:
    """Raises or lowers all panels to the height of the first one's lower edge."""
    height = (world_matrix(panels[0]) @ _foot(panels[0])).z
    for panel in panels[1:]:
        rise = height - (world_matrix(panel) @ _foot(panel)).z
        panel.matrix_world = Matrix.Translation((0.0, 0.0, rise)) @ world_matrix(panel)


def _parallel(panels: Sequence[bpy.types.Object]) -> None:
    """Turns all panels like the first one, about the middle of their lower edges."""
    rotation = world_matrix(panels[0]).to_quaternion()
    for panel in panels[1:]:
        panel.matrix_world = _rotated(panel, rotation, world_matrix(panel) @ _foot(panel))


def _row(panels: Sequence[bpy.types.Object]) -> None:
    """Puts all panels in one row to the right of the first one, in its plane."""
    first = world_matrix(panels[0])
    rotation = first.to_quaternion()
    right = rotation @ Vector((1.0, 0.0, 0.0))
    edge = first @ (2 * _foot(panels[0]))
    for panel in panels[1:]:
        half = right * (size_of(panel)[0] * world_matrix(panel).to_scale().x / 2)
        edge += right * ROW_GAP + half
        panel.matrix_world = _rotated(panel, rotation, edge)
        edge += half


def _rotated(panel: bpy.types.Object, rotation: Quaternion, foot: Vector) -> Matrix:
    """Returns the panel's world matrix with this rotation, its size, and the middle of its lower edge at `foot`."""
    matrix = Matrix.LocRotScale(None, rotation, world_matrix(panel).to_scale())
    return Matrix.Translation(foot - matrix @ _foot(panel)) @ matrix


ALIGNMENTS: dict[str, Callable[[Sequence[bpy.types.Object]], None]] = {
    "height": _height,
    "parallel": _parallel,
    "row": _row,
}
"""Functions of `align`, by the name of the alignment."""


def _layers(scene: bpy.types.Scene) -> list[Layer]:
    return store.read_description(scene).network.folded()[0]


def _without(layers: Sequence[Layer], globs: Sequence[str], block: str) -> tuple[str, ...]:
    """Returns globs that no longer match this block; a glob that matches others too is replaced by their names."""
    left = tuple(glob for glob in globs if glob != block)
    names = [match.name for match in matching_blocks(layers, left)]
    return left if block not in names else tuple(dict.fromkeys(name for name in names if name != block))


def _representative(layers: Sequence[Layer], blocks: Sequence[Block], layer: str) -> str:
    """Returns the id of the layer whose panel represents the collapsed block of a layer; "" if there is none."""
    inside = (block for block in blocks if layer in {other.id for other in layers[block.first : block.last + 1]})
    return next((layers[block.last].id for block in inside), "")


def _describe(blocks: Sequence[Block]) -> str:
    return blocks[0].name if len(blocks) == 1 else f"{len(blocks)} blocks"
