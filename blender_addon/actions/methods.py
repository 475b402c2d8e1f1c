"""A method is asked about the layers of a hall; its maps come onto the panels as they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from ...torch_bridge.recording import ACTIVATIONS, Recording
from ...torch_bridge.recording.errors import SceneError, UnknownName
from ..live import results, timer
from ..live.session import Asked, current
from ..properties import COMPARED_HALL, INPUT_TAG, METHOD_TAG, PANEL_LAYER_ID, PANEL_SHOWN_LAYER
from ..scene.hall import store
from .bridge import network_of
from .shelf import restore_shelf


def ask_method(
    scene: bpy.types.Scene, method: str, parameters: Mapping[str, Any] | None = None, data: str = "",
    layers: Sequence[str] = ("panels",), channels: Sequence[int] = (),
) -> str:  # fmt: skip
    """Show what a method says about the hall's layers; panels are empty until it comes, and where it isn't asked.

    layers: of panels, or of any layers; channels: of these, () for all. Raises BridgeError or UnknownName.
    """
    session, network = current(), network_of(scene)
    listed = {one["name"]: one for one in session.ready().described["methods"]}
    if method not in listed:
        raise UnknownName("method", method, listed)
    if method == ACTIVATIONS:
        return show_activations(scene)
    cancel_method(scene)
    shows = {
        one[PANEL_LAYER_ID]: str(one.get(PANEL_SHOWN_LAYER, one[PANEL_LAYER_ID]))
        for one in results.targets(scene).values()
    }
    given: dict[str, Any] = {"parameters": dict(parameters or {}), "data": data, "channels": list(channels)}
    given["layers"] = [shows.get(one, one) for one in layers]
    asked = Asked(method, given, results.looks_at(session, scene))
    results.set_method(scene, method)
    scene[METHOD_TAG] = session.work(network, asked)
    results.blank(session, scene, results.targets(scene))
    timer.start()
    return f"{network} is asked for {listed[method]['title'].lower()}"


def cancel_method(scene: bpy.types.Scene) -> str:
    """End the hall's job at its next step; what it has shown stays."""
    session, tag = current(), str(scene.get(METHOD_TAG, ""))
    if not session.runs(tag) or session.link is None:
        return "no job is running"
    session.link.cancel(tag)
    return f"{session.jobs[tag]['what']['method']} ends at its next step"


def show_activations(scene: bpy.types.Scene) -> str:
    """Show again what the layers said to the last input. Raises SceneError where nobody knows that any more."""
    cancel_method(scene)
    scene.pop(COMPARED_HALL, None)
    if not results.show_activations(current(), scene):
        raise SceneError("the activations are no longer known; place the input again")
    timer.start()
    return "the activations are shown again"


def restore_shown() -> str:
    """After undo: halls show again what they asked for then, from memory, else the bridge is asked again."""
    session = current()
    session.show_nothing_else()
    for scene in store.halls():
        restore_shelf(scene)
        if INPUT_TAG not in scene and scene.session_uid not in session.held:
            continue
        results.set_method(scene, results.method_of(scene))  # undo leaves a text that only we have changed since
        if not results.recall(session, scene):
            results.give_up(
                session, str(scene.get(INPUT_TAG)), "what the hall showed then is forgotten; place it again"
            )
        session.show_again(str(scene.get(METHOD_TAG, "")))
    if session.pending:
        timer.start()
    return "halls show what they asked for then"


def forget_asked() -> str:
    """After opening a file: what its halls have asked for was heard in another run."""
    current().forget()
    for scene in store.halls():
        scene.pop(INPUT_TAG, None)
        scene.pop(METHOD_TAG, None)
    return "halls show what their file holds"


def _ask_again(tag: str, made: Recording | None) -> None:
    """A hall shows an input: what its method says must be about that one, and be there."""
    session = current()
    if made is None or session.state != "ready":
        return
    needs = {one["name"]: one["needs"] for one in session.ready().described["methods"]}
    for scene in results.halls_of(tag, INPUT_TAG):
        work = str(scene.get(METHOD_TAG, ""))
        asked = session.asked.get(work)
        if asked is not None:
            same = session.ablated.get(asked.look) == session.ablated.get(tag)
            fits = asked.look == tag or (needs.get(asked.method) != "input" and same)
            if not fits or not (session.runs(work) or session.recalled(work)):
                ask_method(scene, asked.method, **asked.given)


results.LISTENERS.append(_ask_again)
