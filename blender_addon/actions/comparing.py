"""Two halls side by side in one scene, looked at by one light, and the difference of what they show."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import bpy
from mathutils import Vector

from ...torch_bridge.recording import ACTIVATIONS, Maps, Recording
from ...torch_bridge.recording.errors import SceneError
from ..live import results, timer
from ..live.session import current
from ..properties import BESIDE_ROLE, COMPARED_HALL, DIFFERENCE_METHOD, METHOD_TAG, OBJECT_ROLE, SHARED_INPUT_HALL
from ..scene import panels
from ..scene.hall import refresh, store
from ..scene.hall.pick import depsgraph_of
from ..scene.state.parts import collection_of
from .bridge import hall_named
from .methods import cancel_method

AISLE = 3.0
"""Metres between two halls."""


def stand_beside(scene: bpy.types.Scene, other: str, share: bool = False) -> str:
    """Stand another hall of this file beside this one; it stays as it is in its own scene, and follows it.

    Colours are this scene's. share: what is placed into this hall is placed into the other too. Raises UnknownName or
    SceneError.
    """
    hall = hall_named(other)
    if hall == scene:
        raise SceneError(f"{other} can't stand beside itself; build a second hall of the network")
    if _holds(collection_of(hall), collection_of(scene)):
        raise SceneError(f"{scene.name} stands beside {other} already; let {other} stand alone first")
    stand_alone(scene)
    holder = bpy.data.objects.new(f"{other} beside", None)
    holder[OBJECT_ROLE] = BESIDE_ROLE
    holder.instance_type, holder.instance_collection = "COLLECTION", collection_of(hall)
    holder.location = (_reach(scene)[1] - _reach(hall)[0] + AISLE, 0.0, 0.0)
    holder.empty_display_size = 0.2
    collection_of(scene).objects.link(holder)
    if share:
        scene[SHARED_INPUT_HALL] = other
    return f"{other} stands beside {scene.name}"


def stand_alone(scene: bpy.types.Scene) -> str:
    """Take the hall beside this one away; its own scene stays as it is."""
    found = [one for one in scene.objects if one.get(OBJECT_ROLE) == BESIDE_ROLE]
    bpy.data.batch_remove(found)
    scene.pop(SHARED_INPUT_HALL, None)
    return f"{scene.name} stands alone"


def show_difference(scene: bpy.types.Scene, other: str) -> str:
    """Show on this hall's panels what they show minus what the other hall shows, layer by layer and channel by channel.

    It follows new inputs of both. Layers that the other hall lacks, or has in another shape, show nothing of it.
    Raises UnknownName, or SceneError where no layer fits.
    """
    hall = hall_named(other)
    fits = [maps.layer for maps, _ in _pairs(scene, hall)]
    if not fits:
        raise SceneError(f"{other} has no layer like those of {scene.name}; compare halls of the same architecture")
    cancel_method(scene)
    scene[COMPARED_HALL] = other
    scene.pop(METHOD_TAG, None)
    results.set_method(scene, DIFFERENCE_METHOD)
    _subtract(scene, hall)
    return f"{scene.name} minus {other} in {len(fits)} layers"


def _subtract(scene: bpy.types.Scene, other: bpy.types.Scene) -> None:
    """Layer by layer, between whatever else Blender does; what has no like in the other hall shows nothing."""
    name, pairs = scene.name, list(_pairs(scene, other))

    def piece(mine: Maps, theirs: Maps) -> None:
        there = results.named(name)
        panel = results.targets(there).get(mine.layer) if there is not None else None
        if panel is not None and results.method_of(there) == DIFFERENCE_METHOD:
            panels.show_maps(panel, Maps(mine.layer, DIFFERENCE_METHOD, mine.texels - theirs.texels, mine.channels))

    def settle() -> None:
        there = results.named(name)
        if there is not None:
            refresh.refresh(there)

    results.blank(current(), scene, results.targets(scene).keys() - {mine.layer for mine, _ in pairs})
    current().later([*(partial(piece, *pair) for pair in pairs), settle])
    timer.start()


def _pairs(scene: bpy.types.Scene, other: bpy.types.Scene) -> Iterator[tuple[Maps, Maps]]:
    """Activations of layers that both halls have in the same shape."""
    mine, theirs = _known(scene), _known(other)
    for key, maps in mine.items():
        fits = theirs.get(key)
        if fits is not None and fits.texels.shape == maps.texels.shape and not (maps.colour or fits.colour):
            yield maps, fits


def _known(scene: bpy.types.Scene) -> dict[str, Maps]:
    """By layer: the activations that a hall has shown last, whatever it shows now."""
    session = current()
    results.looks_at(session, scene)
    made = session.recalled(session.shown.get(scene.session_uid, ""))
    every = made.all_maps.values() if isinstance(made, Recording) else ()
    return {maps.layer: maps for maps in every if maps.method == ACTIVATIONS}


def _arrived(tag: str, made: Recording | None) -> None:
    """One of two halls shows another input: subtract again."""
    shown = current().shown
    for scene in store.halls() if made is not None else ():
        other = results.named(str(scene.get(COMPARED_HALL, "")))
        if other is not None and results.method_of(scene) == DIFFERENCE_METHOD:
            if tag in (shown.get(scene.session_uid), shown.get(other.session_uid)):
                _subtract(scene, other)


def _reach(scene: bpy.types.Scene) -> tuple[float, float]:
    """Least and most x of all that is seen of a hall but its ground, metres."""
    corners = [
        (one.matrix_world @ Vector(corner)).x
        for one in depsgraph_of(scene).object_instances
        if one.object.type == "MESH" and one.object.get(OBJECT_ROLE, "floor") != "floor"
        for corner in one.object.bound_box
    ]
    return (min(corners), max(corners)) if corners else (0.0, 0.0)


def _holds(inside: bpy.types.Collection, wanted: bpy.types.Collection) -> bool:
    """Whether a collection is instanced within another, however deep."""
    instanced = [one.instance_collection for one in inside.all_objects if one.instance_collection]
    return any(one == wanted or _holds(one, wanted) for one in instanced)


results.LISTENERS.append(_arrived)
