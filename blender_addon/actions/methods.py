"""Methods are run on the layers of a hall; its panels show their maps as they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from ...torch_bridge.recording import ACTIVATIONS, Recording
from ...torch_bridge.recording.arguments import name_list
from ...torch_bridge.recording.channels import read_channels
from ...torch_bridge.recording.errors import InnerwalkError, InputError, SceneError, UnknownName
from ..live import hall_requests, timer
from ..live.request_types import MethodRequest
from ..live.session import Session, current
from ..properties import (
    COMPARED_HALL,
    INPUT_TAG,
    METHOD_TAG,
    NETWORK_NAME,
    PANEL_LAYER_ID,
    PANEL_SHOWN_LAYER,
    SERIES_SHOWN,
)
from ..scene.hall import session_events, store
from ..scene.hall.series import forget_position, position_at, show_position
from ..scene.state.parts import hall_collection
from .bridge import network_of
from .shelf import restore_shelf


def ask_method(
    scene: bpy.types.Scene,
    method: str,
    parameters: Mapping[str, Any] | None = None,
    data: str = "",
    layers: str | Sequence[str] = "panels",
    channels: str | Sequence[int] = (),
) -> str:
    """Runs a method on the hall's input and shows its maps on the panels, which are empty until then.

    The input is the one that this hall placed last, its ablated channels are 0, and of a layer that
    works on frames or windows it looks at the chosen one. parameters: those that differ from
    their defaults. data: the data set, for methods that need one. layers: ids of layers, or "panels" for all panels;
    the panels of other layers stay empty. channels: of the layers, as numbers or as "0,3,8-11", () for all. Returns a
    line that says what is requested. Raises BridgeError, UnknownName, or InputError if the method is about an input and
    the hall has placed none; errors of the method itself are raised by `wait_for_bridge`.
    """
    session, network = current(), network_of(scene)
    methods = {info["name"]: info for info in session.ready_link().description["methods"]}
    if method not in methods:
        raise UnknownName("method", method, methods)
    if method == ACTIVATIONS:
        return show_activations(scene)
    if "input" in methods[method]["needs"] and session.input_request(str(scene.get(INPUT_TAG, ""))) is None:
        raise InputError(f"{scene.name}: this hall's input isn't on the bridge; place an input first")
    panels = store.panels_by_layer(scene)
    shown = {panel[PANEL_LAYER_ID]: panel.get(PANEL_SHOWN_LAYER, panel[PANEL_LAYER_ID]) for panel in panels.values()}
    arguments = {
        "parameters": dict(parameters or {}),
        "data": data,
        "channels": list(read_channels(channels)),
        "layers": [str(shown.get(layer, layer)) for layer in name_list(layers)],
    }
    tag, options = hall_requests.input_tag(session, scene), hall_requests.run_options(scene)
    request = MethodRequest(method, arguments, tag, options)
    cancel_method(scene)
    hall_requests.set_method(scene, method)
    scene[METHOD_TAG] = session.request_method(network, request, scene.session_uid)
    hall_requests.clear_panels(session, scene, panels)
    timer.start()
    return f"running {methods[method]['title'].lower()} on {network}"


def cancel_method(scene: bpy.types.Scene) -> str:
    """Cancels the hall's job at its next step; the panels keep what it has computed.

    Returns a line that says which method is cancelled, or that no job is running.
    """
    session, tag = current(), str(scene.get(METHOD_TAG, ""))
    job = session.job(tag)
    if job is None or not session.is_running(tag) or session.link is None:
        return "no job is running"
    session.link.cancel(tag)
    return f"{job['what']['method']} will stop at its next step"


def show_activations(scene: bpy.types.Scene) -> str:
    """Shows the activations of the hall's last input again, in place of a method or a difference; cancels its job.

    Returns a line that says so. Raises SceneError where they are no longer in memory and the bridge can't be asked.
    """
    cancel_method(scene)
    if not hall_requests.restore_activations(current(), scene):
        raise SceneError(f"hall {scene.name} has no activations in memory; place the input again")
    scene.pop(COMPARED_HALL, None)
    current().dismiss_error()
    timer.show_queued()
    return "the activations are shown again"


def restore_after_undo() -> str:
    """Shows in all halls what they requested before the step that was undone; called after undo and redo.

    Results are taken from memory, or requested from the bridge again. Returns a line that says so.
    """
    session = current()
    session.clear_queue()
    session.dismiss_error()
    for scene in store.halls():
        hall_requests.clear_stale_panels(scene)
        restore_shelf(scene)
        if _restore_position(session, scene):
            continue
        if INPUT_TAG not in scene and not session.hall(scene.session_uid).initial:
            continue
        # Undo doesn't restore a text data-block that was changed without an undo step.
        hall_requests.set_method(scene, hall_requests.method_of(scene))
        if not hall_requests.show_input_again(session, scene):
            reason = "the maps that the hall showed then are no longer in memory; place the input again"
            hall_requests.fail_request(session, str(scene.get(INPUT_TAG)), SceneError(reason))
        tag = str(scene.get(METHOD_TAG, ""))
        session.queue_results(tag)
        if session.method_request(tag) is not None:
            unreached = store.panels_by_layer(scene).keys() - (session.results_of(tag) or {}).keys()
            hall_requests.clear_panels(session, scene, unreached)
    if session.has_queued:
        timer.start()
    return "restored what the halls showed at that step"


def _restore_position(session: Session, scene: bpy.types.Scene) -> bool:
    """Shows again what a hall showed of its series, whose panels undo doesn't restore; returns whether it showed it."""
    if SERIES_SHOWN not in hall_collection(scene):
        return False
    forget_position(scene)
    try:
        show_position(scene, position_at(scene, scene.frame_current_final))
    except InnerwalkError as error:
        session.report_error(error, [scene.session_uid])
    return True


def forget_requests() -> str:
    """Forgets what was requested, as the tags in a newly opened file are of another run; called after opening a file.

    Returns a line that says so.
    """
    current().forget()
    for scene in store.halls():
        scene.pop(INPUT_TAG, None)
        scene.pop(METHOD_TAG, None)
    return "forgot the requests of the previous file"


def _repeat_method(tag: str, recording: Recording | None) -> None:
    """Listener: repeats the method of a hall that shows another input, unless its results fit already."""
    session = current()
    if recording is None or session.state != "ready":
        return
    needs = {info["name"]: info["needs"] for info in session.ready_link().description["methods"]}
    for scene in hall_requests.halls_with_tag(tag, INPUT_TAG):
        method_tag = str(scene.get(METHOD_TAG, ""))
        request = session.method_request(method_tag)
        if request is None:
            continue
        subject = (session.requests[method_tag].network, request.options)
        same_subject = subject == (scene.get(NETWORK_NAME), hall_requests.run_options(scene))
        fits = request.input_tag == tag or ("input" not in needs.get(request.method, "") and same_subject)
        if not fits or not (session.is_running(method_tag) or session.results_of(method_tag)):
            ask_method(scene, request.method, **request.arguments)


def _forget_appended() -> None:
    """Drops the tags of halls that were appended or linked: they name requests of another file or another run."""
    for scene in store.halls():
        if scene.session_uid not in current().halls and scene.is_editable:
            scene.pop(INPUT_TAG, None)
            scene.pop(METHOD_TAG, None)


hall_requests.LISTENERS.append(_repeat_method)
session_events.subscribe("undo_post", lambda _: restore_after_undo())
session_events.subscribe("redo_post", lambda _: restore_after_undo())
session_events.subscribe("load_post", lambda _: forget_requests())
session_events.subscribe("blend_import_post", lambda _: _forget_appended())
