"""What halls request from the bridge: tags in their scenes, and what their panels show until answers come."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import bpy
import numpy as np

from ...torch_bridge.recording import ACTIVATIONS, Maps, Recording
from ...torch_bridge.recording.errors import BridgeError, InnerwalkError
from ..properties import (
    ABLATED_CHANNELS,
    CHOSEN_POSITIONS,
    COMPARED_HALL,
    DIFFERENCE_METHOD,
    INPUT_TAG,
    METHOD_TAG,
    PANEL_LAYER_ID,
    PANEL_SHOWN_LAYER,
    SERIES_SHOWN,
    SHARED_INPUT_HALL,
    SHOWN_METHOD,
    STROKES,
)
from ..scene import panels
from ..scene.hall import store
from ..scene.hall.ray_hits import map_shape
from ..scene.state.parts import hall_collection
from .bridge_connection import RunOptions
from .hall_state import HallState
from .session import Session
from .stored_choices import ablated_channels, chosen_positions, painted_strokes

LISTENERS: list[Callable[[str, Recording | None], None]] = []
"""Functions to call with the tag and the recording of each input that is shown completely, and with the tag and None
where a request has failed.
"""


def halls_with_tag(tag: str, *keys: str) -> Iterator[bpy.types.Scene]:
    """Returns the halls that have this tag as one of their properties `keys` (INPUT_TAG, METHOD_TAG)."""
    return (scene for scene in store.halls() if tag and tag in [scene.get(key) for key in keys])


def scene_named(name: str) -> bpy.types.Scene | None:
    """Returns the scene of this name, or None."""
    return bpy.data.scenes.get(name)


def scene_with_uid(uid: int) -> bpy.types.Scene | None:
    """Returns the scene with this `session_uid`, whatever its name is now; None once it is deleted."""
    return next((scene for scene in bpy.data.scenes if scene.session_uid == uid), None)


def connected_halls(scene: bpy.types.Scene) -> list[bpy.types.Scene]:
    """Returns a hall with all that share inputs or show a difference with it, directly or through others."""
    links = [(hall, other) for hall in store.halls() for other in _partners(hall)]
    connected = [scene]
    for hall in connected:  # grows meanwhile
        for pair in links:
            connected += [other for other in pair if hall in pair and other not in connected]
    return connected


def _partners(scene: bpy.types.Scene) -> list[bpy.types.Scene]:
    """Returns the halls that a hall shares inputs with, and that it shows the difference to."""
    keys = (SHARED_INPUT_HALL, *([COMPARED_HALL] if method_of(scene) == DIFFERENCE_METHOD else ()))
    partners = [scene_named(str(scene.get(key, ""))) for key in keys]
    return [partner for partner in partners if partner is not None]


def method_of(scene: bpy.types.Scene) -> str:
    """Returns the name of the method that a hall's panels show."""
    return str(scene.get(SHOWN_METHOD) or store.read_appearance(scene).method)


def set_method(scene: bpy.types.Scene, method: str) -> None:
    """Sets the method that a hall's panels show from now on, also in its saved description."""
    scene[SHOWN_METHOD] = method
    store.write_appearance(scene, replace(store.read_appearance(scene), method=method))


def run_options(scene: bpy.types.Scene) -> RunOptions:
    """Returns what a hall changes in the runs of its network."""
    return RunOptions(ablated_channels(scene) or None, chosen_positions(scene) or None, painted_strokes(scene) or None)


def store_run_options(scene: bpy.types.Scene, options: RunOptions) -> None:
    """Stores what a hall changes in the runs of its network from now on."""
    ablated = {layer: list(channels) for layer, channels in (options.ablate or {}).items() if channels}
    strokes = [dict(stroke) for stroke in options.strokes or ()]
    stored = {ABLATED_CHANNELS: ablated, CHOSEN_POSITIONS: dict(options.positions or {}), STROKES: strokes}
    for key, values in stored.items():
        if values:
            scene[key] = json.dumps(values)
        else:
            scene.pop(key, None)


def place_of(session: Session, scene: bpy.types.Scene, panel: bpy.types.Object) -> tuple[int, int, str]:
    """Returns position, number of positions and what a position is, as in `Maps`, of the layer that a panel shows.

    They are those of the layer's activations, also while a method is shown that has none.
    """
    layer, hall = str(panel.get(PANEL_SHOWN_LAYER, panel[PANEL_LAYER_ID])), session.halls.get(scene.session_uid)
    results = session.results_of(hall.shown) if hall is not None else None
    maps = results.all_maps.get((layer, ACTIVATIONS)) if isinstance(results, Recording) else None
    return panels.read_metadata(panel).place if maps is None else (maps.position, maps.positions, maps.axis)


def input_tag(session: Session, scene: bpy.types.Scene) -> str:
    """Returns the tag of the input that a hall requested last.

    For a hall that has requested none, what it holds is stored under a new tag, so that undo can come back to it.
    """
    if INPUT_TAG not in scene:
        hall = session.hall(scene.session_uid)
        if not hall.initial or SERIES_SHOWN in hall_collection(scene):
            hall.shown = session.new_tag("held")
            hall.initial = hall.initial or hall.shown
            session.store_results(hall.shown, store.read_recording(scene))
            scene[INPUT_TAG] = hall.shown
        else:
            scene[INPUT_TAG] = hall.initial
    return str(scene[INPUT_TAG])


def clear_panels(session: Session, scene: bpy.types.Scene, layers: Iterable[str]) -> None:
    """Lets the panels of these layers show zeros until maps of the hall's method come, so that methods never mix."""
    uid, method = scene.session_uid, method_of(scene)

    def clear(layer: str) -> None:
        hall = scene_with_uid(uid)
        panel = store.panels_by_layer(hall).get(layer) if hall is not None else None
        if panel is not None and method_of(hall) == method:
            panels.show_maps(panel, _zeros(panel, layer, method))

    session.queue_calls(partial(clear, layer) for layer in layers)


def clear_stale_panels(scene: bpy.types.Scene) -> None:
    """Lets panels show zeros at once whose images hold other maps: undo restores an object, but not its image."""
    for layer, panel in store.panels_by_layer(scene).items():
        if not panels.holds_maps(panel):
            panels.show_maps(panel, _zeros(panel, layer, method_of(scene)))


def _zeros(panel: bpy.types.Object, layer: str, method: str) -> Maps:
    channels, (height, width) = len(panel.data.vertices), map_shape(panel) if panels.holds_maps(panel) else (1, 1)
    return Maps(layer, method, np.zeros((-(-channels // 4), max(1, height), max(1, width), 4), np.float32), channels)


def is_shown(session: Session, scene: bpy.types.Scene) -> bool:
    """Returns whether a hall shows the input and the method that it requested last."""
    hall = session.halls.get(scene.session_uid, HallState())  # adds none: a render's thread may be asking
    return scene.get(INPUT_TAG) in (None, hall.shown) and not session.is_running(str(scene.get(METHOD_TAG, "")))


def show_input_again(session: Session, scene: bpy.types.Scene) -> bool:
    """Shows the input that a hall requested last, from memory or by running it again.

    Returns False where it is no longer known, or would have to be run and the bridge isn't ready.
    """
    tag = input_tag(session, scene)
    if session.queue_results(tag):
        return True
    request = session.input_request(tag)
    if session.state != "ready" or request is None or request.inputs is None:
        return False
    session.request_input(scene.session_uid, request.network, request.inputs, tag)
    return True


def restore_activations(session: Session, scene: bpy.types.Scene) -> bool:
    """Shows the activations of the last input in place of a method.

    Returns False as `show_input_again` does, and where the hall is of a recording that has none.
    """
    return held_method(session, scene) == ACTIVATIONS and restore_held(session, scene)


def restore_held(session: Session, scene: bpy.types.Scene) -> bool:
    """Shows what is held of the last input in place of a method. Returns False as `show_input_again` does."""
    scene.pop(METHOD_TAG, None)
    set_method(scene, held_method(session, scene))
    return show_input_again(session, scene)


def held_method(session: Session, scene: bpy.types.Scene) -> str:
    """Returns the method of what is held of a hall's last input: activations, unless its recording has only others."""
    results = session.results_of(input_tag(session, scene))
    methods = [method for _, method in results.all_maps] if isinstance(results, Recording) else []
    return ACTIVATIONS if ACTIVATIONS in methods or not methods else methods[0]


def fail_request(session: Session, tag: str, error: InnerwalkError) -> None:
    """Gives up a request: halls that wait for it show again what they showed before."""
    halls = list(halls_with_tag(tag, INPUT_TAG))
    session.report_error(error, [scene.session_uid for scene in halls])
    session.drop_callback(tag)
    for listener in LISTENERS:
        listener(tag, None)
    for scene in halls:
        scene[INPUT_TAG] = session.hall(scene.session_uid).shown
        if method_of(scene) == ACTIVATIONS != (held := held_method(session, scene)):
            set_method(scene, held)
        session.queue_results(scene[INPUT_TAG])


def disconnect(session: Session) -> None:
    """Leaves the bridge, and gives up what halls still wait for."""
    session.leave()
    for scene in store.halls():
        tag, shown = str(scene.get(INPUT_TAG, "")), session.hall(scene.session_uid).shown
        if shown and tag != shown:
            fail_request(session, tag, BridgeError(session.error or "the bridge was left before it answered"))
        if scene.get(METHOD_TAG) and session.results_of(scene[METHOD_TAG]) is None:
            restore_held(session, scene)


def close_unused_videos(session: Session) -> None:
    """Closes the videos of scenes that were deleted."""
    if any(hall.videos for hall in session.halls.values()):
        session.close_videos_except({scene.session_uid for scene in bpy.data.scenes})
