"""A bridge is started, joined and left; its networks become halls, and halls look at inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge import client
from ...torch_bridge.client import BridgeInput
from ...torch_bridge.recording import ACTIVATIONS, Recording, channel_picture
from ...torch_bridge.recording.errors import BridgeError, InputError, SceneError, UnknownName
from ..live import results, timer
from ..live.link import Link
from ..live.session import current
from ..properties import (
    ABLATED_CHANNELS,
    COMPARED_HALL,
    DIFFERENCE_METHOD,
    INPUT_TAG,
    METHOD_TAG,
    NETWORK_NAME,
    PANEL_SHOWN_LAYER,
    SHARED_INPUT_HALL,
    SHOWN_METHOD,
)
from ..scene.hall import store
from ..scene.hall.build import build
from ..scene.panels import panel_of
from ..scene.state.scratch import undoable
from .opening import show_hall


def start_bridge(
    python: str, networks: Mapping[str, Mapping[str, Any]], data: Mapping[str, str] | None = None, folder: str = "",
    device: str = "",
) -> str:  # fmt: skip
    """Start a bridge as a child of Blender with a Python that has torch; networks: name -> fields of a RecordSpec.

    It ends when Blender does. `folder` is where the modules of own models are. Raises BridgeError.
    """
    if not networks:
        raise BridgeError("no network is named; add one, such as the model resnet50")
    order = {"networks": {name: dict(spec) for name, spec in networks.items()}, "data": dict(data or {})}
    _talk(Link.start(python, order | {"device": device}, folder or None))
    return f"starting a bridge with {', '.join(networks)}"


def join_bridge(connection: Path | str = "", address: str = "", token: str = "") -> str:
    """Join a running bridge by its connection file, or by address (host:port) and token; a tunnel may lie between.

    Whether it answers shows a moment later. Raises BridgeError for a file or an address that is none.
    """
    host, _, port = address.rpartition(":")
    if address and not (port.isdecimal() and 0 < int(port) < 1 << 16):
        raise BridgeError(f"{address!r} is no address; 127.0.0.1:8600 would be")
    at = (int(port), token, host or "127.0.0.1") if address else client.read_connection(connection)
    _talk(Link(client.Bridge(*at)))
    return f"joining the bridge at {address or connection}"


def _talk(link: Link) -> None:
    results.leave(current())
    current().join(link)
    timer.start()


def leave_bridge() -> str:
    """Leave the bridge, and end it if this Blender has started it. Halls stay as they are."""
    results.leave(current())
    timer.start()
    return "left the bridge"


def build_hall(network: str) -> str:
    """Build the hall of a network of the bridge in a scene of its own, once it has looked at its first input.

    Raises BridgeError or UnknownName.
    """
    _known(network)
    session = current()
    tag = session.tag("look")
    session.look(tag, network, (), tag, lambda made: _stand(network, tag, made))
    return f"{network} looks at its first input; its hall follows"


def _stand(network: str, tag: str, made: Recording) -> None:
    scene = build(made)
    scene[NETWORK_NAME], scene[INPUT_TAG], scene[SHOWN_METHOD] = network, tag, ACTIVATIONS
    current().shown[scene.session_uid] = tag
    show_hall(scene)
    undoable("Build Hall")


def follow(scene: bpy.types.Scene, network: str) -> str:
    """Let a hall that stands, of a recording or of a saved file, be that of a network of the bridge from now on.

    Raises BridgeError or UnknownName.
    """
    _known(network)
    if scene.get(NETWORK_NAME) != network:
        scene.pop(ABLATED_CHANNELS, None)
    scene[NETWORK_NAME] = network
    return f"{scene.name} follows {network}"


def place_input(
    scene: bpy.types.Scene, filepath: str = "", data: str = "", index: int = 0, noise: int = -1, layer: str = "",
    channel: int = -1, hall: str = "",
) -> str:  # fmt: skip
    """Let the hall's network look at a file, at a picture of a data set, at noise of a seed, or at a channel's picture.

    Its panels change as the layers are reached. hall: the name of another, which looks in its place. Raises
    BridgeError, InputError or UnknownName.
    """
    scene = hall_named(hall) if hall else scene
    if [bool(filepath), bool(data), noise >= 0, bool(layer)].count(True) != 1:
        raise InputError("name one input: a file, a data set's picture, a seed of noise, or a layer's channel")
    if scene.name in current().films:
        current().films[scene.name].running = False
    if layer:
        return show_input(scene, _channel(scene, layer, channel))
    if data:
        return show_input(scene, client.item(data, index))
    return show_input(scene, client.file(bpy.path.abspath(filepath)) if filepath else client.noise(noise))


def hall_named(name: str) -> bpy.types.Scene:
    """A hall of this file. Raises UnknownName."""
    halls = {scene.name: scene for scene in store.halls()}
    if name not in halls:
        raise UnknownName("hall", name, halls)
    return halls[name]


def _channel(scene: bpy.types.Scene, layer: str, channel: int) -> BridgeInput:
    """What a tile shows now. Raises UnknownName, InputError or SceneError."""
    panel = panel_of(scene, layer)
    maps = store.maps_of(panel, str(panel.get(PANEL_SHOWN_LAYER, layer)), results.method_of(scene))
    if maps is None:
        raise SceneError(f"panel {panel.name!r} has lost its image; build the hall again")
    if not 0 <= channel < maps.channels:
        raise InputError(f"no channel {channel} of {layer}; it has {maps.channels}")
    return client.pixels(channel_picture(maps, channel), f"{maps.layer}, channel {channel}, {maps.method}")


def show_input(scene: bpy.types.Scene, *given: BridgeInput) -> str:
    """Let the hall's network look at inputs as `torch_bridge.client` names them; a hall that shares them does too.

    Raises BridgeError.
    """
    session, beside = current(), results.named(str(scene.get(SHARED_INPUT_HALL, "")))
    halls = [(one, network_of(one)) for one in (scene, beside) if one is not None]
    for one, network in halls:
        results.looks_at(session, one)
        if not _follows(one):
            results.set_method(one, ACTIVATIONS)
        one[INPUT_TAG] = session.look(one.name, network, given, ablate=results.ablated(one))
    timer.start()
    return f"{scene[NETWORK_NAME]} looks at {', '.join(_name(one.values) for one in given)}"


def _follows(scene: bpy.types.Scene) -> bool:
    """Whether what the panels show can be made anew of another input; what a saved file shows may not."""
    method = results.method_of(scene)
    if method == DIFFERENCE_METHOD:
        return str(scene.get(COMPARED_HALL, "")) in bpy.data.scenes
    return method == ACTIVATIONS or scene.get(METHOD_TAG) in current().asked


def network_of(scene: bpy.types.Scene) -> str:
    """The network of the bridge that a hall shows. Raises BridgeError."""
    if not scene.get(NETWORK_NAME):
        raise BridgeError(f"scene {scene.name} follows no network of the bridge; choose one for it")
    _known(scene[NETWORK_NAME])
    return str(scene[NETWORK_NAME])


def _name(values: Mapping[str, Any]) -> str:
    match values["kind"]:
        case "data":
            return f"{values['set']} {values['index']}"
        case "noise":
            return f"noise {values['seed']}"
        case "film":
            return str(values["film"])
    return str(values["name"])


def wait_for_bridge(scene: bpy.types.Scene | None = None, seconds: float = 600.0) -> str:
    """For scripts: wait until the bridge is ready and the hall shows everything that was asked. Raises BridgeError."""
    session = current()

    def settled() -> bool:
        if session.state in ("off", "ended") or session.error:
            raise BridgeError(session.error or (session.link.told if session.link else "there is no bridge"))
        waits = session.state != "ready" or session.waits or session.pending
        return not waits and (scene is None or _shown(scene))

    timer.wait(settled, seconds)
    return "everything is shown"


def _shown(scene: bpy.types.Scene) -> bool:
    session = current()
    looked = scene.get(INPUT_TAG) in (None, session.shown.get(scene.session_uid))
    return looked and not session.runs(str(scene.get(METHOD_TAG, "")))


def _known(network: str) -> None:
    listed = [one["name"] for one in current().ready().described["networks"]]
    if network not in listed:
        raise UnknownName("network of the bridge", network, listed)


def awaited() -> list[str]:
    """Networks whose first look isn't there yet; then their hall is built."""
    return current().awaited
