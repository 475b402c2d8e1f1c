"""Two halls are compared: side by side in one scene, or by the difference of what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import bpy
from mathutils import Vector

from ...torch_bridge import client
from ...torch_bridge.client import BridgeInput
from ...torch_bridge.recording import ACTIVATIONS, Maps, Recording
from ...torch_bridge.recording.errors import InputError, SceneError
from ..layout.hall_model import EYE_HEIGHT
from ..layout.view import SENSOR, View
from ..live import hall_requests, timer
from ..live.session import current
from ..plans.number_text import format_close_share, format_number
from ..properties import (
    BESIDE_ROLE,
    COMPARED_HALL,
    DIFFERENCE_METHOD,
    INPUT_TAG,
    METHOD_TAG,
    NETWORK_NAME,
    OBJECT_ROLE,
    SHARED_INPUT_HALL,
)
from ..scene import panels
from ..scene.hall import map_updates, store
from ..scene.hall.ray_hits import evaluated_depsgraph
from ..scene.panels import values
from ..scene.state.data_blocks import push_undo
from ..scene.state.parts import hall_collection
from ..scene.state.selection import selected
from ..scene.view import viewport
from .bridge import hall_named, network_of, request_hall
from .inspecting import concept_text
from .methods import cancel_method
from .placing import listed_arguments

AISLE = 3.0
"""Metres between two halls."""
ROOM = 1.1
"""Share of two halls' width that a view of both shows."""


def stand_beside(scene: bpy.types.Scene, other: str, share: bool = False) -> str:
    """Shows another hall of this file beside this one, as an instance that follows it; its own scene stays as it is.

    Each keeps its own colours. share: run each input of this hall in the other hall too. Returns a line that says which
    halls stand side by side. Raises UnknownName, or SceneError if the other hall contains this one.
    """
    hall = hall_named(other)
    if hall == scene:
        raise SceneError(f"choose another hall; {other} is this one")
    if _contains(hall_collection(hall), hall_collection(scene)):
        raise SceneError(f"{other} shows {scene.name} beside itself; remove that hall from {other} first")
    stand_alone(scene)
    instance = bpy.data.objects.new(f"{other} beside", None)
    instance[OBJECT_ROLE] = BESIDE_ROLE
    instance.instance_type, instance.instance_collection = "COLLECTION", hall_collection(hall)
    instance.location = (_x_range(scene)[1] - _x_range(hall)[0] + AISLE, 0.0, 0.0)
    instance.empty_display_size = 0.2
    hall_collection(scene).objects.link(instance)
    if share:
        scene[SHARED_INPUT_HALL] = other
    return f"{other} stands beside {scene.name}"


def compare_input(scene: bpy.types.Scene, filepath: str) -> str:
    """Builds another hall of this hall's network, of another input, and shows it beside this one.

    filepath: a picture, array, sound or scan. Returns at once, with a line that says so. Raises BridgeError,
    UnknownName, or InputError for a network of several inputs.
    """
    network = network_of(scene)
    if len(listed_arguments(network)) > 1:
        raise InputError(f"{network} takes several inputs; build its hall again and place them there")
    _request_beside(scene, network, [client.file(bpy.path.abspath(filepath))], share=False)
    return f"running {network} on {Path(filepath).name}; its hall will stand beside this one"


def compare_network(scene: bpy.types.Scene, network: str) -> str:
    """Builds the hall of another network of the bridge, of this hall's input, and shows it beside this one.

    Where no input was placed in this hall, the other network runs its own first one. Further inputs are run in both.
    Returns at once, with a line that says so. Raises BridgeError or UnknownName.
    """
    request = current().input_request(str(scene.get(INPUT_TAG, "")))
    inputs = (request.inputs if request is not None else None) or ()
    _request_beside(scene, network, inputs, share=True)
    return f"running {network}{'' if inputs else ' on its own first input'}; its hall will stand beside this one"


def _request_beside(scene: bpy.types.Scene, network: str, inputs: Sequence[BridgeInput], share: bool) -> None:
    uid = scene.session_uid

    def stand(other: bpy.types.Scene) -> None:
        hall = hall_requests.scene_with_uid(uid)
        if hall is not None:
            stand_beside(hall, other.name, share)
            if bpy.context.window:
                bpy.context.window.scene = hall
            if viewport.find_view_area(hall) is not None:
                viewport.set_view(hall, partial(_entrances, *_x_range(hall)))
            push_undo("Compare")

    request_hall(network, inputs, stand)
    timer.start()


def _entrances(left: float, right: float, width: int, height: int) -> View:
    """Returns a camera before the entrances of halls that reach from left to right, x in metres."""
    middle, lens = (left + right) / 2, 24.0
    distance = (right - left) * ROOM * lens / SENSOR
    return View((middle, -distance, EYE_HEIGHT), (middle, 0.0, EYE_HEIGHT), width, height, lens)


def stand_alone(scene: bpy.types.Scene) -> str:
    """Removes the hall that stands beside this one; its own scene stays as it is. Returns a line that says so."""
    bpy.data.batch_remove([found for found in scene.objects if found.get(OBJECT_ROLE) == BESIDE_ROLE])
    scene.pop(SHARED_INPUT_HALL, None)
    return "removed the other hall"


def halls_beside(scene: bpy.types.Scene) -> dict[bpy.types.Scene, bpy.types.Object]:
    """Returns the halls that stand beside a hall, with the objects that show them there."""
    shown = {found.instance_collection: found for found in scene.objects if found.get(OBJECT_ROLE) == BESIDE_ROLE}
    return {hall: shown[hall_collection(hall)] for hall in store.halls() if hall_collection(hall) in shown}


def short_name(hall: bpy.types.Scene) -> str:
    """Returns the name of the network that a hall follows on the bridge, else that of its scene."""
    return str(hall.get(NETWORK_NAME, "")) or hall.name


def beside_facts(scene: bpy.types.Scene) -> list[tuple[str, str]]:
    """Returns what halls beside this one predict, and what their channel of the selected place detects.

    Each is (name of the hall, text); without a prediction or a channel there is none.
    """
    facts = []
    for hall in halls_beside(scene):
        name = short_name(hall)
        top = store.read_description(hall).prediction.top
        facts += [(name, f"{top[0][1]} {format_close_share(top[0][2])}")] if top else []
        layer, channel = selected(scene)
        panel = panels.find_panel(hall, layer) if channel >= 0 else None
        if panel is not None and channel < len(panel.data.vertices):
            text = concept_text(panel, channel)
            facts += [(f"{name} · {channel}", text)] if text else []
            facts.append((f"Peak in {name}", format_number(_peak(panel, channel))))
    return facts


def _peak(panel: bpy.types.Object, channel: int) -> float:
    return float(values.peaks_of(panel)[panels.map_of_channel(panel, channel)])


def show_difference(scene: bpy.types.Scene, other: str) -> str:
    """Shows this hall's activations minus the other hall's on this hall's panels, and follows new inputs of both.

    Panels of layers that the other hall lacks, or has in another shape, show zeros. Returns a line that says how many
    layers have a difference. Raises UnknownName, or SceneError if there is no such layer.
    """
    hall = hall_named(other)
    if hall == scene:
        raise SceneError(f"choose another hall; {other} is this one")
    layers = [maps.layer for maps, _ in _pairs(scene, hall)]
    if not layers:
        raise SceneError(f"{other} has no layer like those of {scene.name}; compare halls of the same architecture")
    cancel_method(scene)
    scene[COMPARED_HALL] = other
    scene.pop(METHOD_TAG, None)
    hall_requests.set_method(scene, DIFFERENCE_METHOD)
    _subtract(scene, hall)
    timer.show_queued()
    return f"{scene.name} minus {other} in {len(layers)} layers"


def _subtract(scene: bpy.types.Scene, other: bpy.types.Scene) -> None:
    """Shows the difference layer by layer, between other events; panels of unmatched layers show zeros."""
    uid, pairs = scene.session_uid, list(_pairs(scene, other))

    def show_layer(first: Maps, second: Maps) -> None:
        hall = hall_requests.scene_with_uid(uid)
        panel = store.panels_by_layer(hall).get(first.layer) if hall is not None else None
        if panel is not None and hall_requests.method_of(hall) == DIFFERENCE_METHOD:
            difference = Maps(first.layer, DIFFERENCE_METHOD, first.texels - second.texels, first.channels)
            shown = replace(difference, position=first.position, positions=first.positions, axis=first.axis)
            panels.show_maps(panel, shown)

    def finish() -> None:
        hall = hall_requests.scene_with_uid(uid)
        if hall is not None:
            map_updates.update_after_maps(hall)

    unmatched = store.panels_by_layer(scene).keys() - {first.layer for first, _ in pairs}
    hall_requests.clear_panels(current(), scene, unmatched)
    current().queue_calls([*(partial(show_layer, *pair) for pair in pairs), finish])
    timer.start()


def _pairs(scene: bpy.types.Scene, other: bpy.types.Scene) -> Iterator[tuple[Maps, Maps]]:
    """Yields the activations of each layer that both halls have in the same shape."""
    first, second = _activations(scene), _activations(other)
    for layer, maps in first.items():
        match = second.get(layer)
        if match is not None and match.texels.shape == maps.texels.shape and not (maps.colour or match.colour):
            yield maps, match


def _activations(scene: bpy.types.Scene) -> dict[str, Maps]:
    """Returns the activations of the input that a hall has shown last, by layer, also while it shows a method."""
    session = current()
    hall_requests.input_tag(session, scene)
    recording = session.results_of(session.hall(scene.session_uid).shown)
    all_maps = recording.all_maps.values() if isinstance(recording, Recording) else ()
    return {maps.layer: maps for maps in all_maps if maps.method == ACTIVATIONS}


def _on_input(tag: str, recording: Recording | None) -> None:
    """Listener: subtracts again where either of two compared halls shows another input."""
    session = current()
    for scene in store.halls() if recording is not None else ():
        other = hall_requests.scene_named(str(scene.get(COMPARED_HALL, "")))
        if other is not None and hall_requests.method_of(scene) == DIFFERENCE_METHOD:
            if tag in [session.hall(hall.session_uid).shown for hall in (scene, other)]:
                _subtract(scene, other)


def _x_range(scene: bpy.types.Scene) -> tuple[float, float]:
    """Returns the least and the largest x of all visible meshes of a hall except its floor, in metres."""
    xs = [
        (instance.matrix_world @ Vector(corner)).x
        for instance in evaluated_depsgraph(scene).object_instances
        if instance.object.type == "MESH" and instance.object.get(OBJECT_ROLE, "floor") != "floor"
        for corner in instance.object.bound_box
    ]
    return (min(xs), max(xs)) if xs else (0.0, 0.0)


def _contains(outer: bpy.types.Collection, inner: bpy.types.Collection) -> bool:
    """Returns whether a collection is instanced within another, at any depth."""
    instanced = [found.instance_collection for found in outer.all_objects if found.instance_collection]
    return any(collection == inner or _contains(collection, inner) for collection in instanced)


hall_requests.LISTENERS.append(_on_input)
