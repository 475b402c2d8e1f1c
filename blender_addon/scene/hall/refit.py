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
from .build import remove
from .store import Dress

DRESSING = (
    "frame", "floor", "edges", "gates", "numbers", "title", "input", "input frame", "answer", "answer board", "empty",
    "beams", "overlay",
)  # fmt: skip
"""Roles of what a hall to walk has besides panels and its camera."""


def refit(scene: bpy.types.Scene, dress: Dress) -> None:
    """Lay out and dress the hall as `dress` says; panels that were moved stay as far from their planned places.

    Raises SceneError, RecordingError or UnknownName; then nothing was touched.
    """
    site, moved = site_of(scene, dress, pictures=True), store.moved(scene)
    remove([one for one in scene.objects if one.get(OBJECT_ROLE) in DRESSING])
    _exchange(site)
    assembly.add_hall(site, moved=moved)
    store.keep(scene, site.recording, dress)
    visibility.settle(scene)
    glyphs.forget_fonts()


def site_of(scene: bpy.types.Scene, dress: Dress, *, pictures: bool = False) -> assembly.Site:
    """The plan of a hall that stands, with its panels, also those that wait; the pictures only where they are needed.

    Raises SceneError, RecordingError or UnknownName.
    """
    recording = store.bare(scene) if pictures else store.described(scene)
    layers, links = shown_graph(recording.network, dress.collapse)
    standing = store.away(scene) | panels(scene)
    return assembly.Site(scene, recording, layers, layout.lay_out(layers, links), dress, standing=standing)


def retitle(scene: bpy.types.Scene) -> None:
    """Write the title board again, for its legend shows the colours; where a person has put it, it stays."""
    boards = [one for one in scene.objects if one.get(OBJECT_ROLE) == "title"]
    if not boards:
        return
    made = assembly.add_title(site_of(scene, store.dress_of(scene)))
    stale = [board.data for board in boards]
    for board in boards:
        board.data = made.data
    bpy.data.batch_remove([made, *stale])
    glyphs.forget_fonts()


def _exchange(site: assembly.Site) -> None:
    """Panels of the plan into the hall, the others out of the scene."""
    scene, wanted = site.scene, {layer.id for layer in site.layers}
    coming = [panel for id, panel in store.away(scene).items() if id in wanted]
    leaving = [panel for id, panel in panels(scene).items() if id not in wanted]
    if leaving and not scene.get(COLLAPSED_PANELS):
        scene[COLLAPSED_PANELS] = bpy.data.collections.new(f"{scene.name} collapsed")
    if coming:
        _move(coming, [scene[COLLAPSED_PANELS]], site.collection)
    if leaving:
        _move(leaving, [scene.collection, *scene.collection.children_recursive], scene[COLLAPSED_PANELS])


def _move(holders: list[bpy.types.Object], out: list[bpy.types.Collection], into: bpy.types.Collection) -> None:
    """Objects, with what hangs on them, out of some collections and into another."""
    for one in [one for holder in holders for one in (holder, *holder.children_recursive)]:
        for held in out:
            if one.name in held.objects:
                held.objects.unlink(one)
        into.objects.link(one)
