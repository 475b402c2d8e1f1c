"""A hall is removed, with everything in the file and on the bridge that only it used."""

from __future__ import annotations

import bpy

from ..live.session import current
from ..properties import COMPARED_HALL, SHARED_INPUT_HALL
from ..scene.hall import build, store
from ..scene.state.data_blocks import push_undo
from ..scene.state.parts import hall_collection
from .comparing import stand_alone
from .methods import cancel_method


def remove_hall(scene: bpy.types.Scene) -> str:
    """Removes a hall with its scene and all of its data, also where it stands beside others; cancels what it requested.

    A person's own objects stay in the file. Returns a line that says so. Raises SceneError if the scene is no hall.
    """
    store.stored_document(scene)  # raises
    session, name = current(), scene.name
    cancel_method(scene)
    session.close_video(scene.session_uid)
    session.halls.pop(scene.session_uid, None)
    for other in store.halls():
        beside = [found for found in other.objects if found.instance_collection == hall_collection(scene)]
        if beside or other.get(SHARED_INPUT_HALL) == name:
            stand_alone(other)
        if other.get(COMPARED_HALL) == name:
            del other[COMPARED_HALL]
    build.remove_hall(scene)
    push_undo("Remove Hall")
    return f"removed {name}"
