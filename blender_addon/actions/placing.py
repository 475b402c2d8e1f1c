"""One input of a hall's network is exchanged for another: a file, noise, a text, a picture of a data set or a map."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import bpy

from ...torch_bridge import client
from ...torch_bridge.client import BridgeInput
from ...torch_bridge.recording import channel_picture
from ...torch_bridge.recording.errors import InputError, SceneError, UnknownName
from ..live import hall_requests
from ..live.session import current
from ..properties import PANEL_SHOWN_LAYER
from ..scene.hall import store
from ..scene.panels import panel_of
from .bridge import hall_named, network_of, show_input


def place_input(
    scene: bpy.types.Scene,
    filepath: str = "",
    data: str = "",
    index: int = 0,
    noise: int = -1,
    text: str = "",
    layer: str = "",
    channel: int = -1,
    argument: str = "",
    hall: str = "",
) -> str:
    """Runs the hall's network on one input; the panels change as its layers are reached, other inputs stay.

    Name one input: filepath, a picture, array or sound; data and index, a picture of a data set of the bridge; noise,
    the seed of random noise; text, as ids:101,2054 or words for the model's vocabulary; or layer and channel, the
    picture on that channel's tile. argument: name of the network's input that gets it, "" for the first that takes
    pictures, else the first. hall: name of another hall in whose place it is run. Returns a line that says what is run.
    Raises InputError for none or several inputs, BridgeError, SceneError or UnknownName.
    """
    scene = hall_named(hall) if hall else scene
    if [bool(filepath), bool(data), noise >= 0, bool(text), bool(layer)].count(True) != 1:
        raise InputError("name one input: a file, a data set's picture, a seed of noise, a text, or a layer's channel")
    if layer:
        placed = _channel_input(scene, layer, channel)
    elif data:
        placed = client.item(data, index)
    elif text:
        placed = client.words(text if text.startswith(("ids:", "text:")) else f"text:{text}")
    else:
        placed = client.file(bpy.path.abspath(filepath)) if filepath else client.noise(noise)
    return place_named(scene, {argument: placed})


def place_named(scene: bpy.types.Scene, placed: Mapping[str, BridgeInput]) -> str:
    """Runs the hall's network on inputs made with `torch_bridge.client`, by the names of arguments; the others stay.

    "" stands for the first argument that takes pictures, else the first. Otherwise as `place_inputs`.
    """
    session, names = current(), argument_names(scene)
    own = {_argument_name(scene, names, argument): each for argument, each in placed.items()}
    request = session.input_request(hall_requests.input_tag(session, scene))
    known = list(request.inputs or ()) if request is not None else []
    listed = names[: max(len(known), len(listed_arguments(network_of(scene))))]
    return place_inputs(scene, *(client.by_argument(own, listed, known) or [client.default()]))


def argument_names(scene: bpy.types.Scene) -> list[str]:
    """Returns the names of the arguments that a hall's network takes: those it needs, and others that it was run on.

    Raises BridgeError or UnknownName.
    """
    shown = (re.split(r"[.\[]", own.name)[0] for own in store.read_description(scene).inputs)
    names = listed_arguments(network_of(scene))
    return names + [name for name in dict.fromkeys(shown) if name not in names and all("[" not in own for own in names)]


def listed_arguments(network: str) -> list[str]:
    """Returns the names of the arguments that a network of the bridge lists. Raises BridgeError."""
    networks = current().ready_link().description["networks"]
    return next((list(info["inputs"]) for info in networks if info["name"] == network), [])


def _argument_name(scene: bpy.types.Scene, names: Sequence[str], argument: str) -> str:
    """Returns the name of the network's input that gets an input. Raises UnknownName."""
    if argument:
        if argument not in names:
            raise UnknownName("input of the network", argument, names)
        return argument
    shown = store.read_description(scene).inputs
    pictured = (own.name for own in shown if own.kind == "picture" and own.name in names)
    return next(pictured, names[0] if names else "")


def place_inputs(scene: bpy.types.Scene, *inputs: BridgeInput) -> str:
    """Pauses the hall's video, if it plays, and runs the network on inputs; otherwise as `show_input`."""
    video = current().video_of(scene.session_uid)
    if video is not None:
        video.running = False
    return show_input(scene, *inputs)


def _channel_input(scene: bpy.types.Scene, layer: str, channel: int) -> BridgeInput:
    """Returns the picture that a tile shows as an input. Raises UnknownName or SceneError."""
    panel = panel_of(scene, layer)
    maps = store.read_maps(panel, str(panel.get(PANEL_SHOWN_LAYER, layer)), hall_requests.method_of(scene))
    if maps is None:
        raise SceneError(f"panel {panel.name!r} has lost its image; build the hall again")
    return client.pixels(channel_picture(maps, channel), f"{maps.layer}, channel {channel}, {maps.method}")
