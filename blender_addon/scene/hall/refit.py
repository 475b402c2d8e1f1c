"""A hall that stands is laid out anew in its scene: its panels go on with their maps, the dressing is made again.

Panels of blocks that are collapsed leave the scene for a collection that only a property of the scene holds. They are
saved, undone and copied with it, cost nothing to draw, and come back as they were.
"""

from __future__ import annotations

import bpy

from ... import layout
from ...layout.blocks import shown_graph
from ...properties import COLLAPSED_PANELS, OBJECT_ROLE
from ..paint import glyphs
from ..panels import panels
from . import assembly, store, visibility
from .build import remove_objects
from .store import Appearance

DRESSING = (
    "frame", "floor", "edges", "gates", "numbers", "title", "input", "input frame", "answer", "answer board", "empty",
    "beams", "overlay",
)  # fmt: skip
"""Roles of what a hall to walk has besides panels and its camera."""


def refit_hall(scene: bpy.types.Scene, appearance: Appearance) -> None:
    """Lay out and dress the hall as `dress` says; panels that were moved stay as far from their planned places.

    Raises SceneError, RecordingError or UnknownName; then nothing was touched.
    """
    context, moved = prepare_build(scene, appearance, pictures=True), store.manual_moves(scene)
    remove_objects([one for one in scene.objects if one.get(OBJECT_ROLE) in DRESSING])
    _exchange(context)
    assembly.add_hall(context, moved=moved)
    store.write_recording(scene, context.recording, appearance)
    visibility.apply_visibility(scene)
    glyphs.forget_fonts()


def prepare_build(scene: bpy.types.Scene, appearance: Appearance, *, pictures: bool = False) -> assembly.BuildContext:
    """The plan of a hall that stands, with its panels, also those that wait; the pictures only where they are needed.

    Raises SceneError, RecordingError or UnknownName.
    """
    recording = store.read_without_maps(scene) if pictures else store.read_description(scene)
    layers, links = shown_graph(recording.network, appearance.collapse)
    standing = store.collapsed_panels(scene) | panels(scene)
    return assembly.BuildContext(scene, recording, layers, layout.lay_out(layers, links), appearance, standing=standing)


def update_title(scene: bpy.types.Scene) -> None:
    """Write the title board again, for its legend shows the colours; where a person has put it, it stays."""
    boards = [one for one in scene.objects if one.get(OBJECT_ROLE) == "title"]
    if not boards:
        return
    made = assembly.add_title(prepare_build(scene, store.read_appearance(scene)))
    stale = [board.data for board in boards]
    for board in boards:
        board.data = made.data
    bpy.data.batch_remove([made, *stale])
    glyphs.forget_fonts()


def _exchange(context: assembly.BuildContext) -> None:
    """Panels of the plan into the hall, the others out of the scene."""
    scene, wanted = context.scene, {layer.id for layer in context.layers}
    coming = [panel for id, panel in store.collapsed_panels(scene).items() if id in wanted]
    leaving = [panel for id, panel in panels(scene).items() if id not in wanted]
    if leaving and not scene.get(COLLAPSED_PANELS):
        scene[COLLAPSED_PANELS] = bpy.data.collections.new(f"{scene.name} collapsed")
    if coming:
        _move(coming, [scene[COLLAPSED_PANELS]], context.collection)
    if leaving:
        _move(leaving, [scene.collection, *scene.collection.children_recursive], scene[COLLAPSED_PANELS])


def _move(holders: list[bpy.types.Object], out: list[bpy.types.Collection], into: bpy.types.Collection) -> None:
    """Objects, with what hangs on them, out of some collections and into another."""
    for one in [one for holder in holders for one in (holder, *holder.children_recursive)]:
        for held in out:
            if one.name in held.objects:
                held.objects.unlink(one)
        into.objects.link(one)
