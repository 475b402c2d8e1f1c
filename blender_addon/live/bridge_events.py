"""Events of the bridge are shown in halls, in steps: none takes longer than showing the maps of one layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import bpy

from ...torch_bridge.recording import ACTIVATIONS, Maps, Recording
from ...torch_bridge.recording.errors import InnerwalkError, ModelError, error_from_wire
from ..plans.number_text import format_count
from ..properties import INPUT_TAG, METHOD_TAG, OBJECT_ROLE, PANEL_LAYER_ID, PANEL_ROLE, PANEL_SHOWN_LAYER
from ..scene import panels
from ..scene.hall import map_updates, store
from ..scene.hall.input_updates import show_recording
from .bridge_connection import RUNNING, Event
from .hall_requests import LISTENERS, fail_request, halls_with_tag, method_of, restore_held
from .session import Session


def handle(session: Session, event: Event) -> None:
    """Shows one event in the halls that requested it. Errors are kept, by `session.report_error`."""
    try:
        HANDLERS[event.kind](session, event.tag, event.content)
    except InnerwalkError as error:
        session.report_error(error, _uids(halls_with_tag(event.tag, INPUT_TAG, METHOD_TAG)))


def _uids(halls: Iterable[bpy.types.Scene]) -> list[int]:
    return [scene.session_uid for scene in halls]


def _show_maps(session: Session, tag: str, maps: Maps) -> None:
    """Shows maps in the halls whose panels show their method; maps of a job are stored in any case."""
    if session.job(tag) is not None:
        session.store_results(tag, {maps.layer: maps})
    for scene in halls_with_tag(tag, INPUT_TAG, METHOD_TAG):
        panel = _panel(session, scene, maps.layer)
        if panel is not None and maps.method == method_of(scene):
            panels.show_maps(panel, maps)


def _panel(session: Session, scene: bpy.types.Scene, layer: str) -> bpy.types.Object | None:
    """Returns the panel that shows a layer's maps, trying first the object where it was last time."""
    state = session.hall(scene.session_uid)
    found: bpy.types.Object | None = scene.objects.get(state.panel_names.get(layer, ""))
    if (
        found is None
        or found.get(OBJECT_ROLE) != PANEL_ROLE
        or found.get(PANEL_SHOWN_LAYER, found[PANEL_LAYER_ID]) != layer
    ):
        hall_panels = store.panels_by_layer(scene)
        state.panel_names = {id: panel.name for id, panel in hall_panels.items()}
        found = hall_panels.get(layer)
    return found


def _store_recording(session: Session, tag: str, recording: Recording) -> None:
    """Stores a recording whose maps were all shown, and finishes showing it."""
    halls = list(halls_with_tag(tag, INPUT_TAG))
    missing = [layer for scene in halls for layer in _missing_layers(scene, recording)]
    if missing:
        count = sum(len(store.panels_by_layer(scene)) for scene in halls)
        fail_request(session, tag, ModelError(_describe_difference(recording, missing, count)))
        return
    session.error = ""
    session.store_results(tag, recording)
    if halls:
        _complete(session, tag, recording)
    session.deliver(tag, recording)


def _describe_difference(recording: Recording, missing: list[str], count: int) -> str:
    """Returns a line about a recording that lacks the layers of some of the `count` panels."""
    name, number = recording.network.name, format_count(len(missing), "panel")
    if 2 * len(missing) > count:
        return f"{name} isn't the network of this hall: {number} differ, first {missing[0]}; build its own hall"
    first = f"{number}, first {missing[0]}, not reached or of other channels"
    return f"{name} took another path with {recording.input_name}: {first}; this hall can't show it"


def _missing_layers(scene: bpy.types.Scene, recording: Recording) -> list[str]:
    """Returns the layers of panels that a recording has no activations for, or those of another number of channels."""
    recorded = recording.all_maps
    channels = {layer: maps.channels for (layer, method), maps in recorded.items() if method == ACTIVATIONS}
    return [
        layer
        for layer, panel in store.panels_by_layer(scene).items()
        if channels.get(layer) != len(panel.data.vertices)
    ]


def _complete(session: Session, tag: str, results: Recording | dict[str, Maps]) -> None:
    """All maps of a request are on their panels: show the rest of it next."""
    rebuilds = [Event("rebuild", tag, results)] if isinstance(results, Recording) else []
    session.show_next(*rebuilds, Event("shown", tag, results))


def _rebuild(session: Session, tag: str, recording: Recording) -> None:
    """Rebuilds the input's picture and the answer of the halls that requested a recording."""
    for scene in halls_with_tag(tag, INPUT_TAG):
        before = store.read_description(scene).prediction.top
        if before != recording.prediction.top:
            session.hall(scene.session_uid).former_answer = before
        show_recording(scene, recording)


def _finish(session: Session, tag: str, results: Recording | dict[str, Maps]) -> None:
    """Everything of a request is shown: update what depends on it, and tell the listeners."""
    for scene in halls_with_tag(tag, INPUT_TAG, METHOD_TAG):
        map_updates.update_after_maps(scene)
    if isinstance(results, Recording):
        for scene in halls_with_tag(tag, INPUT_TAG):
            session.hall(scene.session_uid).shown = tag
        for listener in LISTENERS:
            listener(tag, results)


def _show_job(session: Session, tag: str, job: dict[str, Any]) -> None:
    """Keeps the state of a job. Where it has ended without results, its hall shows activations again."""
    if session.job(tag) is None:
        return  # requested in another file, or so long ago that it was forgotten
    session.requests[tag].job = job
    request = session.method_request(tag)
    if job["state"] == "done" and request is not None:
        session.times.end_job(tag, session.requests[tag].network, request)
    halls = list(halls_with_tag(tag, METHOD_TAG))
    for scene in halls:
        map_updates.update_after_maps(scene)
        if job["state"] not in RUNNING and session.results_of(tag) is None:
            restore_held(session, scene)
    if job["error"] and job["state"] not in RUNNING:
        method, reason = job["what"]["method"], job["error"]
        line = reason if reason.startswith(f"{method}: ") else f"{method}: {reason}"
        error = error_from_wire(job["error_kind"], line)
        session.report_error(error, _uids(halls))


def _show_error(session: Session, tag: str, error: InnerwalkError) -> None:
    """Gives up the request that failed, unless it is an input that no hall waits for any more."""
    job = session.job(tag)
    if job is not None:
        _show_job(session, tag, job | {"state": "failed", "error": str(error), "error_kind": type(error).__name__})
    elif session.input_request(tag) is None or session.has_callback(tag) or any(halls_with_tag(tag, INPUT_TAG)):
        fail_request(session, tag, error)


def _call(session: Session, tag: str, call: Callable[[], None]) -> None:
    call()


def _ignore(session: Session, tag: str, content: Any) -> None:
    """Does nothing: the interface reads the state of the connection itself."""


def _show_end(session: Session, tag: str, reason: str) -> None:
    session.error = reason


SLOW = ("rebuild",)
"""Kinds of events that take so long that the timer shows them early in a tick, or in the next one."""
HANDLERS: dict[str, Callable[[Session, str, Any], None]] = {
    "starting": _ignore,
    "described": _ignore,
    "maps": _show_maps,
    "recording": _store_recording,
    "complete": _complete,
    "rebuild": _rebuild,
    "shown": _finish,
    "job": _show_job,
    "answer": Session.deliver,
    "call": _call,
    "error": _show_error,
    "ended": _show_end,
}
"""Function for each kind of event."""
