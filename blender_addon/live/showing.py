"""What the bridge has said reaches the halls, a piece at a time: no piece is larger than the maps of one layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import bpy

from ...torch_bridge.errors import InnerwalkError, SceneError
from ...torch_bridge.recording import ACTIVATIONS, Maps, Recording
from ..scene import panels, store
from ..scene.panels import ID, SHOWS
from ..scene.renew import renew
from .link import Heard
from .session import Session

NETWORK, LOOK, METHOD, WORK = "innerwalk_network", "innerwalk_look", "innerwalk_method", "innerwalk_work"
"""Properties of a scene: the network of the bridge that its hall shows; the tag of the input that it asked for last;
the method that its panels show; the tag of that method's job.
"""
FILLED = "innerwalk_filled"
"""On a panel: the tag of what its image holds. Undo takes it back, but not the image."""


def show(session: Session, heard: Heard) -> None:
    """Bring one thing that was heard into the halls that asked for it. Errors are kept for the interface."""
    try:
        SHOWERS[heard.kind](session, heard)
    except InnerwalkError as error:
        session.error = str(error)


def halls_of(tag: str) -> Iterator[bpy.types.Scene]:
    """Scenes that still want what was asked under a tag."""
    return (scene for scene in store.halls() if tag and tag in (scene.get(LOOK), scene.get(WORK)))


def method_of(scene: bpy.types.Scene) -> str:
    """The method that a hall's panels show."""
    return str(scene.get(METHOD, ACTIVATIONS))


def targets(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """Panels, also those of collapsed blocks, by the ids of the layers whose maps they show, and by their own."""
    there = (store.away(scene) | panels.panels(scene)).values()
    return {one[ID]: one for one in there} | {one.get(SHOWS, one[ID]): one for one in there}


def _maps(session: Session, heard: Heard) -> None:
    for scene in halls_of(heard.tag):
        _fill(scene, heard.tag, heard.content)


def _fill(scene: bpy.types.Scene, tag: str, maps: Maps) -> None:
    """Maps of the method that the hall shows; others are only remembered."""
    panel = targets(scene).get(maps.layer)
    if panel is None or maps.method != method_of(scene):
        return
    panels.show_maps(panel, maps)
    panel[FILLED] = tag


def _recording(session: Session, heard: Heard) -> None:
    made: Recording = heard.content
    session.error = ""
    session.remember(heard.tag, made)
    for scene in halls_of(heard.tag):
        renew(scene, made)
        missed = [
            id for id, panel in targets(scene).items() if id == panel.get(SHOWS) and _stale(scene, panel, heard.tag)
        ]
        panels.refresh(scene)
        if missed:
            raise SceneError(
                f"{made.network.name} took another path: {len(missed)} panels, first {missed[0]}, were not reached "
                "and show the input before; build the hall again"
            )
    for told in list(LISTENERS):
        told(heard.tag, made)


def _stale(scene: bpy.types.Scene, panel: bpy.types.Object, tag: str) -> bool:
    return method_of(scene) == ACTIVATIONS and panel.get(FILLED) != tag


def _job(session: Session, heard: Heard) -> None:
    told, every = heard.content
    session.jobs[heard.tag] = told
    if told["error"]:
        session.error = f"{told['what']['method']}: {told['error']}"
    session.remember(heard.tag, {maps.layer: maps for maps in every})
    for scene in halls_of(heard.tag):
        for maps in every:
            _fill(scene, heard.tag, maps)
        if every:
            panels.refresh(scene)


def _error(session: Session, heard: Heard) -> None:
    session.error = str(heard.content)
    if heard.tag in session.jobs:
        session.jobs[heard.tag] |= {"state": "failed", "error": str(heard.content)}
    for failed in list(FAILED):
        failed(heard.tag)


def _piece(session: Session, heard: Heard) -> None:
    heard.content()


def _nothing(session: Session, heard: Heard) -> None:
    """That the bridge is described, or has ended, shows in the interface."""
    if heard.kind == "ended":
        session.error = heard.content


SHOWERS: dict[str, Callable[[Session, Heard], None]] = {
    "maps": _maps, "recording": _recording, "job": _job, "error": _error, "answer": Session.answer, "piece": _piece,
    "described": _nothing, "ended": _nothing,
}  # fmt: skip
LISTENERS: list[Callable[[str, Recording], None]] = []
"""Told of every recording that has been shown: what waits for it goes on."""
FAILED: list[Callable[[str], None]] = []
"""Told of every tag that no recording will come for."""


def set_method(scene: bpy.types.Scene, method: str) -> None:
    """What the hall's panels show from now on; the saved description says so too."""
    scene[METHOD] = method
    recording, dress = store.described(scene), store.dress_of(scene)
    store.keep(scene, recording, replace(dress, method=method))
