"""What the bridge has said reaches the halls, a piece at a time: no piece is larger than the maps of one layer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import bpy
import numpy as np

from ...torch_bridge.recording import ACTIVATIONS, Maps, Recording
from ...torch_bridge.recording.errors import InnerwalkError
from ..properties import (
    ABLATED_CHANNELS,
    INPUT_TAG,
    METHOD_TAG,
    OBJECT_ROLE,
    PANEL_LAYER_ID,
    PANEL_ROLE,
    PANEL_SHOWN_LAYER,
    SHOWN_METHOD,
)
from ..scene import panels
from ..scene.hall import refresh, store
from ..scene.hall.pick import map_shape
from ..scene.hall.renew import renew
from .link import RUNNING, Heard
from .session import Session

LISTENERS: list[Callable[[str, Recording | None], None]] = []
"""Told of the tag of every recording that has been shown, and, with None, of those that will not come."""


def show(session: Session, heard: Heard) -> None:
    """Bring one thing that was heard into the halls that asked for it. Errors are kept for the interface."""
    try:
        SHOWERS[heard.kind](session, heard.tag, heard.content)
    except InnerwalkError as error:
        session.error = str(error)


def halls_of(tag: str, *kinds: str) -> Iterator[bpy.types.Scene]:
    """Scenes that still want what was asked under a tag, as their LOOK or WORK."""
    return (scene for scene in store.halls() if tag and tag in [scene.get(kind) for kind in kinds])


def named(name: str) -> bpy.types.Scene | None:
    """A scene by its name, None where it is gone."""
    return bpy.data.scenes.get(name)


def method_of(scene: bpy.types.Scene) -> str:
    """The method that a hall's panels show."""
    return str(scene.get(SHOWN_METHOD) or store.dress_of(scene).method)


def set_method(scene: bpy.types.Scene, method: str) -> None:
    """What the hall's panels show from now on; the saved description says so too."""
    scene[SHOWN_METHOD] = method
    store.keep(scene, store.described(scene), replace(store.dress_of(scene), method=method))


def ablated(scene: bpy.types.Scene) -> dict[str, list[int]]:
    """By panel: the channels that are taken away from the hall's network."""
    return dict(json.loads(scene.get(ABLATED_CHANNELS, "{}")))


def targets(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """Panels, also those of collapsed blocks, by the ids of the layers whose maps they show."""
    return {
        str(one.get(PANEL_SHOWN_LAYER, one[PANEL_LAYER_ID])): one
        for one in (store.away(scene) | panels.panels(scene)).values()
    }


def looks_at(session: Session, scene: bpy.types.Scene) -> str:
    """The tag of what the hall asked for last. What it held before it asked for anything is read now, for undo."""
    uid = scene.session_uid
    if INPUT_TAG not in scene:
        if uid not in session.held:
            session.held[uid] = session.shown[uid] = session.tag("held")
            session.remember(session.held[uid], store.kept(scene))
        scene[INPUT_TAG] = session.held[uid]
    return str(scene[INPUT_TAG])


def blank(session: Session, scene: bpy.types.Scene, layers: Iterable[str]) -> None:
    """Panels show nothing until maps of the method come: no hall shows two methods as one."""
    name, method = scene.name, method_of(scene)

    def piece(layer: str) -> None:
        there = named(name)
        panel = targets(there).get(layer) if there is not None else None
        if panel is not None and method_of(there) == method:
            panels.show_maps(panel, _nothing_on(panel, layer, method))

    session.later(partial(piece, layer) for layer in layers)


def _nothing_on(panel: bpy.types.Object, layer: str, method: str) -> Maps:
    channels, (height, width) = len(panel.data.vertices), map_shape(panel)
    return Maps(layer, method, np.zeros((-(-channels // 4), max(1, height), max(1, width), 4), np.float32), channels)


def recall(session: Session, scene: bpy.types.Scene) -> bool:
    """Show again what the hall asked for last, from memory, else ask the bridge again; False where neither can be."""
    tag = looks_at(session, scene)
    if session.show_again(tag):
        return True
    if session.state != "ready" or tag not in session.looked:
        return False
    session.look(scene.name, *session.looked[tag], tag=tag)
    return True


def show_activations(session: Session, scene: bpy.types.Scene) -> bool:
    """Show what the layers said to the last input; False where nobody knows that any more."""
    scene.pop(METHOD_TAG, None)
    set_method(scene, ACTIVATIONS)
    return recall(session, scene)


def give_up(session: Session, tag: str, why: str) -> None:
    """What was asked for under a tag will not come: its halls show again what they showed before."""
    session.error = why
    session.lost(tag)
    for told in LISTENERS:
        told(tag, None)
    for scene in halls_of(tag, INPUT_TAG):
        scene[INPUT_TAG] = session.shown.get(scene.session_uid, "")
        session.show_again(scene[INPUT_TAG])


def leave(session: Session) -> None:
    """Leave the bridge; what halls still wait for will not come."""
    session.leave()
    for scene in store.halls():
        tag = str(scene.get(INPUT_TAG, ""))
        if tag != session.shown.get(scene.session_uid, tag):
            give_up(session, tag, session.error)
        if scene.get(METHOD_TAG) and session.recalled(scene[METHOD_TAG]) is None:
            show_activations(session, scene)


def _maps(session: Session, tag: str, maps: Maps) -> None:
    """Maps of the method that a hall shows; others are only remembered."""
    if tag in session.jobs:
        session.remember(tag, {maps.layer: maps})
    for scene in halls_of(tag, INPUT_TAG, METHOD_TAG):
        panel = _panel(session, scene, maps.layer)
        if panel is not None and maps.method == method_of(scene):
            panels.show_maps(panel, maps)


def _panel(session: Session, scene: bpy.types.Scene, layer: str) -> bpy.types.Object | None:
    """The panel that shows a layer's maps, looked for first where it was the last time."""
    names = session.names.get(scene.session_uid, {})
    found: bpy.types.Object | None = scene.objects.get(names.get(layer, ""))
    if (
        found is None
        or found.get(OBJECT_ROLE) != PANEL_ROLE
        or found.get(PANEL_SHOWN_LAYER, found[PANEL_LAYER_ID]) != layer
    ):
        there = targets(scene)
        session.names[scene.session_uid] = {id: panel.name for id, panel in there.items()}
        found = there.get(layer)
    return found


def _recording(session: Session, tag: str, made: Recording) -> None:
    halls = list(halls_of(tag, INPUT_TAG))
    missed = [layer for scene in halls for layer in _missed(scene, made)]
    if missed:
        what = f"{made.network.name} took another path with {made.input_name}: {len(missed)} panels, first {missed[0]}"
        give_up(session, tag, f"{what}, were not reached; this hall can't show it")
        return
    session.error = ""
    session.remember(tag, made)
    if halls:
        _again(session, tag, made)
    session.answer(tag, made)


def _missed(scene: bpy.types.Scene, made: Recording) -> list[str]:
    """Layers of panels that a recording has no maps for."""
    there = {maps.layer: maps.channels for maps in made.all_maps.values()}
    return [layer for layer, panel in targets(scene).items() if there.get(layer) != len(panel.data.vertices)]


def _again(session: Session, tag: str, made: Recording | dict[str, Maps]) -> None:
    """All maps of a tag are on their panels: what else the hall shows of it follows, before anything else."""
    renews = [Heard("renew", tag, made)] if isinstance(made, Recording) else []
    session.next(*renews, Heard("shown", tag, made))


def _renew(session: Session, tag: str, made: Recording) -> None:
    for scene in halls_of(tag, INPUT_TAG):
        renew(scene, made)


def _shown(session: Session, tag: str, made: Recording | dict[str, Maps]) -> None:
    """Everything of a tag is in its halls."""
    for scene in halls_of(tag, INPUT_TAG, METHOD_TAG):
        refresh.refresh(scene)
    if isinstance(made, Recording):
        for scene in halls_of(tag, INPUT_TAG):
            session.shown[scene.session_uid] = tag
        for told in LISTENERS:
            told(tag, made)


def _job(session: Session, tag: str, told: dict[str, Any]) -> None:
    """How a job is doing. Where it has ended with nothing to show, the hall shows activations again."""
    session.jobs[tag], runs = told, told["state"] in RUNNING
    for scene in halls_of(tag, METHOD_TAG):
        refresh.refresh(scene)
        if not runs and session.recalled(tag) is None:
            show_activations(session, scene)
    if told["error"] and not runs:
        session.error = f"{told['what']['method']}: {told['error']}"


def _error(session: Session, tag: str, error: Exception) -> None:
    if tag in session.jobs:
        _job(session, tag, session.jobs[tag] | {"state": "failed", "error": str(error)})
    elif (
        tag not in session.looked or session.awaits(tag) or any(halls_of(tag, INPUT_TAG))
    ):  # else nobody wants it any more
        give_up(session, tag, str(error))


def _piece(session: Session, tag: str, piece: Callable[[], None]) -> None:
    piece()


def _nothing(session: Session, tag: str, content: Any) -> None:
    """That the bridge starts or is described shows in the interface."""


def _ended(session: Session, tag: str, told: str) -> None:
    session.error = told


LONG = ("renew",)
"""Kinds of what takes long enough to be alone in a go."""
SHOWERS: dict[str, Callable[[Session, str, Any], None]] = {
    "maps": _maps, "recording": _recording, "again": _again, "job": _job, "error": _error, "answer": Session.answer,
    "renew": _renew, "shown": _shown, "piece": _piece, "starting": _nothing, "described": _nothing, "ended": _ended,
}  # fmt: skip
