"""Lays out an existing hall again in its scene: panels keep their maps, and all other objects are rebuilt.

Panels of collapsed blocks are moved from the scene to a collection that only a property of the scene refers to. There
they are saved, undone and copied with the scene without being drawn, and return unchanged when the block is expanded.
"""

from __future__ import annotations

import bpy

from ...properties import COLLAPSED_PANELS, DRAWN_CONTENT, OBJECT_ROLE
from ..dressing import title_caption
from ..paint import glyphs
from ..panels import panels
from . import assembly, store, visibility
from .build import remove_objects
from .store import Appearance

REBUILT_ROLES = (
    "frame", "floor", "edges", "gates", "numbers", "title", "input", "input frame", "answer", "answer board", "empty",
    "beams", "charts", "overlay",
)  # fmt: skip
"""Roles of all objects of a hall to walk, except panels and the camera."""


def refit_hall(scene: bpy.types.Scene, appearance: Appearance) -> None:
    """Lays out a hall again with another appearance; moved panels keep their offsets from their planned places.

    Raises SceneError, RecordingError or UnknownName; then nothing has changed.
    """
    context, moves = prepare_build(scene, appearance, pictures=True), store.manual_moves(scene)
    remove_objects([holder for holder in scene.objects if holder.get(OBJECT_ROLE) in REBUILT_ROLES])
    _exchange_panels(context)
    assembly.add_hall(context, moves=moves)
    store.write_recording(scene, context.recording, appearance)
    visibility.apply_visibility(scene)
    title_caption.update_caption(scene, store.shown_method(scene))
    glyphs.forget_fonts()


def prepare_build(scene: bpy.types.Scene, appearance: Appearance, *, pictures: bool = False) -> assembly.BuildContext:
    """Returns the layout of an existing hall with its panels, those of collapsed blocks included.

    pictures: read input and prediction from their images. Raises SceneError, RecordingError or UnknownName.
    """
    recording = store.read_without_maps(scene) if pictures else store.read_description(scene)
    return assembly.lay_out_hall(scene, recording, appearance, store.collapsed_panels(scene) | panels(scene))


def update_title(scene: bpy.types.Scene) -> None:
    """Draws the title board again, whose legend shows the colours; the board stays where a person has moved it."""
    boards = [holder for holder in scene.objects if holder.get(OBJECT_ROLE) == "title"]
    if not boards:
        return
    new_board = assembly.add_title(prepare_build(scene, store.read_appearance(scene)))
    old_meshes = [board.data for board in boards]
    for board in boards:
        board.data = new_board.data
        board.pop(DRAWN_CONTENT, None)
    bpy.data.batch_remove([new_board, *old_meshes])
    title_caption.update_caption(scene, store.shown_method(scene))
    glyphs.forget_fonts()


def _exchange_panels(context: assembly.BuildContext) -> None:
    """Moves panels of expanded blocks into the scene and those of collapsed blocks out of it."""
    scene, shown = context.scene, {layer.id for layer in context.layers}
    expanded = [panel for id, panel in store.collapsed_panels(scene).items() if id in shown]
    collapsed = [panel for id, panel in panels(scene).items() if id not in shown]
    if collapsed and not scene.get(COLLAPSED_PANELS):
        scene[COLLAPSED_PANELS] = bpy.data.collections.new(f"{scene.name} collapsed")
    if expanded:
        _move(expanded, [scene[COLLAPSED_PANELS]], context.collection)
    if collapsed:
        _move(collapsed, [scene.collection, *scene.collection.children_recursive], scene[COLLAPSED_PANELS])


def _move(holders: list[bpy.types.Object], sources: list[bpy.types.Collection], target: bpy.types.Collection) -> None:
    """Moves objects with their children from some collections to another."""
    for moved in [moved for holder in holders for moved in (holder, *holder.children_recursive)]:
        for source in sources:
            if moved.name in source.objects:
                source.objects.unlink(moved)
        target.objects.link(moved)
