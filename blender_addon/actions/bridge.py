"""A bridge is started, joined and left; halls of its networks are built, and inputs are run in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge import client
from ...torch_bridge.client import BridgeInput
from ...torch_bridge.recording import ACTIVATIONS, Recording
from ...torch_bridge.recording.errors import BridgeError, InputError, UnknownName
from ...torch_bridge.recording.files import is_weights_name
from ..live import hall_requests, timer
from ..live.bridge_connection import NO_OPTIONS, BridgeConnection, RunOptions
from ..live.session import current
from ..live.stored_choices import ablated_channels
from ..plans.number_text import format_close_share
from ..properties import (
    COMPARED_HALL,
    DIFFERENCE_METHOD,
    INPUT_TAG,
    METHOD_TAG,
    NETWORK_NAME,
    SHARED_INPUT_HALL,
    SHOWN_METHOD,
    WHOLE_ANSWER,
)
from ..scene.hall import store
from ..scene.hall.build import create_hall
from ..scene.hall.series import forget_position
from ..scene.panels.concepts import forget_concepts
from ..scene.state.data_blocks import push_undo
from .opening import show_hall


def start_bridge(
    python: str,
    networks: Mapping[str, Mapping[str, Any]],
    data: Mapping[str, str] | None = None,
    folder: str = "",
    device: str = "",
) -> str:
    """Starts a bridge as a child process of Blender, which ends when Blender does.

    python: path of a Python that has torch. networks: by the name each gets, the fields of a `RecordSpec`. data: data
    sets by name. folder: where the Python modules of your own models are. device: such as cuda or cpu; "" chooses.
    Returns a line that says what is started; `wait_for_bridge` waits until it is ready. Raises BridgeError, also for
    weights to download where Blender may not go online.
    """
    if not networks:
        raise BridgeError("no network is named; add one, such as the model resnet50")
    _check_downloads(networks)
    specs = {name: dict(spec) for name, spec in networks.items()}
    config = {"networks": specs, "data": dict(data or {}), "folder": folder, "device": device}
    use_connection(BridgeConnection.start(python, config))
    return f"starting a bridge with {', '.join(networks)}"


def _check_downloads(networks: Mapping[str, Mapping[str, Any]]) -> None:
    for name, spec in networks.items():
        weights = spec.get("weights")
        if isinstance(weights, str) and is_weights_name(weights) and not bpy.app.online_access:
            raise BridgeError(
                f"{name}: weights {weights} are downloaded, and Blender is offline; choose Allow Online Access in "
                "Preferences > System, or give a weights file"
            )


def join_bridge(connection: Path | str = "", address: str = "", token: str = "") -> str:
    """Joins a bridge that runs already, such as one that an SSH tunnel leads to.

    connection: the file in which the bridge wrote how to reach it; or address, as host:port, with its token. Returns a
    line that says which bridge is joined; whether it answers is known a moment later, see `wait_for_bridge`. Raises
    BridgeError if the file can't be read or the address is malformed.
    """
    host, _, port = address.rpartition(":")
    if address and not (port.isdecimal() and 0 < int(port) < 1 << 16):
        raise BridgeError(f"{address!r} is no address; write it as 127.0.0.1:8600")
    target = (int(port), token, host or "127.0.0.1") if address else client.read_connection(connection)
    use_connection(BridgeConnection(client.Bridge(*target)))
    return f"joining the bridge at {address or connection}"


def use_connection(link: BridgeConnection) -> None:
    """Leaves the bridge that is joined, and uses this connection from now on."""
    hall_requests.disconnect(current())
    current().join(link)
    timer.start()


def leave_bridge() -> str:
    """Leaves the bridge, and ends it if this Blender has started it; halls keep what they show. Returns a line."""
    hall_requests.disconnect(current())
    current().dismiss_error()
    timer.show_queued()
    return "left the bridge"


def build_hall(network: str) -> str:
    """Runs a network of the bridge on its first input, then builds its hall in a new scene.

    Returns at once, with a line that says so. Raises BridgeError if the bridge isn't ready, or UnknownName.
    """
    request_hall(network)
    return f"running {network} on its first input; its hall will be built next"


def request_hall(
    network: str, inputs: Sequence[BridgeInput] = (), then: Callable[[bpy.types.Scene], object] | None = None
) -> str:
    """Runs a network of the bridge on inputs, then builds its hall in a new scene. Returns at once.

    inputs: made with `torch_bridge.client`; () for the network's own first input. then: called with the new scene.
    Returns the request's tag. Raises BridgeError if the bridge isn't ready, or UnknownName.
    """
    _check_network(network)
    session = current()
    tag = session.new_tag("look")

    def build(recording: Recording) -> None:
        scene = _build(network, tag, recording)
        if then is not None:
            then(scene)

    return session.request_input(tag, network, inputs, tag, build)


def _build(network: str, tag: str, recording: Recording) -> bpy.types.Scene:
    scene = create_hall(recording)
    scene[NETWORK_NAME], scene[INPUT_TAG], scene[SHOWN_METHOD] = network, tag, ACTIVATIONS
    hall = current().hall(scene.session_uid)
    hall.shown, hall.link = tag, current().link
    show_hall(scene)
    push_undo("Build Hall")
    return scene


def follow(scene: bpy.types.Scene, network: str) -> str:
    """Connects a hall, such as one of a recording or a saved file, to a network of the bridge.

    Inputs and methods are run on that network from now on. Returns a line that says so. Raises BridgeError if the
    bridge isn't ready, or UnknownName.
    """
    _check_network(network)
    if scene.get(NETWORK_NAME) != network:
        hall_requests.store_run_options(scene, NO_OPTIONS)
        scene.pop(WHOLE_ANSWER, None)
        for panel in store.panels_by_layer(scene).values():
            forget_concepts(panel)
    scene[NETWORK_NAME], current().hall(scene.session_uid).link = network, current().link
    return f"{scene.name} follows {network}"


def hall_named(name: str) -> bpy.types.Scene:
    """Returns the hall of this name in the open file. Raises UnknownName."""
    halls = {scene.name: scene for scene in store.halls()}
    if name not in halls:
        raise UnknownName("hall", name, halls)
    return halls[name]


def show_input(scene: bpy.types.Scene, *inputs: BridgeInput) -> str:
    """Runs the hall's network on inputs made with `torch_bridge.client`, one for each input of the network.

    A hall that shares inputs with this one runs them too. Returns a line that says what is run. Raises BridgeError if
    the hall isn't connected to a network or the bridge isn't ready.
    """
    session, shared = current(), hall_requests.scene_named(str(scene.get(SHARED_INPUT_HALL, "")))
    halls = [(hall, network_of(hall)) for hall in (scene, shared) if hall is not None]
    for hall, network in halls:
        hall_requests.input_tag(session, hall)
        if not _can_follow_input(hall):
            hall_requests.set_method(hall, ACTIVATIONS)
        forget_position(hall)
        hall.pop(WHOLE_ANSWER, None)
        options = hall_requests.run_options(hall)
        hall[INPUT_TAG] = session.request_input(hall.session_uid, network, inputs, options=options)
    timer.start()
    return f"running {scene[NETWORK_NAME]} on {', '.join(_input_name(each.values) for each in inputs)}"


def run_input_again(scene: bpy.types.Scene, options: RunOptions) -> None:
    """Runs the hall's last input with these changes to the run, which it keeps for further inputs.

    After a failure it goes back to those of the input that it shows. Raises BridgeError or InputError.
    """
    network, session = network_of(scene), current()
    tag = hall_requests.input_tag(session, scene)
    request = session.input_request(tag)
    if request is None or request.inputs is None:
        raise InputError("the hall's input is no longer in memory; place it again first")
    session.ready_link()
    is_shown = request.network == network and tag == session.hall(scene.session_uid).shown
    whole = _whole_answer(scene, is_shown)
    hall_requests.store_run_options(scene, options)
    show_input(scene, *request.inputs)
    if whole and options.ablate:
        scene[WHOLE_ANSWER] = whole


def _whole_answer(scene: bpy.types.Scene, is_shown: bool) -> str:
    """Returns what the network predicts for the hall's input without ablations; "" where that isn't known.

    is_shown: whether the hall shows what this network has answered to this input.
    """
    if ablated_channels(scene) or not is_shown:
        return str(scene.get(WHOLE_ANSWER, ""))
    top = store.read_description(scene).prediction.top
    return f"{top[0][1]} {format_close_share(top[0][2])}" if top else ""


def _restore_run_options(tag: str, recording: Recording | None) -> None:
    """Listener: after a failed run, restores the changes that the run of the input had which the hall shows."""
    session = current()
    for scene in hall_requests.halls_with_tag(tag, INPUT_TAG) if recording is None else ():
        shown = session.hall(scene.session_uid).shown
        if session.input_request(shown) is not None:
            hall_requests.store_run_options(scene, session.options_of(shown))


def _can_follow_input(scene: bpy.types.Scene) -> bool:
    """Returns whether what the panels show can be computed for another input; the maps of a saved file may not be."""
    method = hall_requests.method_of(scene)
    if method == DIFFERENCE_METHOD:
        return str(scene.get(COMPARED_HALL, "")) in bpy.data.scenes
    return method == ACTIVATIONS or current().method_request(scene.get(METHOD_TAG, "")) is not None


def network_of(scene: bpy.types.Scene) -> str:
    """Returns the name of the bridge's network that a hall is connected to.

    Raises BridgeError if there is none or the bridge isn't ready, or UnknownName if the bridge doesn't have it.
    """
    if not scene.get(NETWORK_NAME):
        raise BridgeError(f"hall {scene.name} has no network that can be run; let it follow one of a bridge")
    network, session = str(scene[NETWORK_NAME]), current()
    _check_network(network)
    if session.link.in_process and session.hall(scene.session_uid).link is not session.link:
        reason = f"hall {scene.name} shows a network {network} that this process no longer has"
        raise BridgeError(f"{reason}; let it follow one that it has, or make the hall again")
    return network


def _input_name(values: Mapping[str, Any]) -> str:
    match values["kind"]:
        case "data":
            return f"{values['set']} {values['index']}"
        case "noise":
            return f"noise {values['seed']}"
        case "film":
            return str(values["film"])
        case "text":
            return str(values["text"])
        case "default":
            return "its own input"
    return str(values["name"])


def wait_for_bridge(scene: bpy.types.Scene | None = None, seconds: float = 600.0) -> str:
    """Waits, in a script, until the bridge is ready and everything that was requested is answered and shown.

    scene: the only hall to wait for, with those that share its inputs or show a difference with it, also without a
    bridge; None for all whose video isn't playing. seconds: the longest to wait. Returns a line. Raises BridgeError if
    a request of these halls has failed since the last wait, if a bridge is needed and there is none or it has ended, or
    if the time is over.
    """
    session = current()
    needs_bridge = scene is None and not session.has_queued

    def is_settled() -> bool:
        while session.state in ("off", "ended") and timer.pump(timer.SLICE_SECONDS):
            continue  # what needs no bridge
        if session.has_queued:
            return False  # also what halls show again after an error
        halls = store.halls() if scene is None else hall_requests.connected_halls(scene)
        if error := session.take_error(None if scene is None else [hall.session_uid for hall in halls]):
            raise error
        awaited = [hall for hall in halls if scene is not None or not _plays_video(hall)]
        waits = not all(hall_requests.is_shown(session, hall) for hall in awaited)
        if session.state in ("off", "ended"):
            if waits or needs_bridge:
                raise BridgeError(session.link.status if session.link else "there is no bridge")
            return True
        return session.state == "ready" and not (waits or session.has_callbacks)

    timer.wait(is_settled, seconds)
    return "everything is shown"


def _plays_video(scene: bpy.types.Scene) -> bool:
    video = current().video_of(scene.session_uid)
    return video is not None and video.running


def _check_network(network: str) -> None:
    names = [info["name"] for info in current().ready_link().description["networks"]]
    if network not in names:
        raise UnknownName("network of the bridge", network, names)


def awaited_networks() -> list[str]:
    """Returns the networks whose halls are being built, once for each hall."""
    return current().awaited_networks


hall_requests.LISTENERS.append(_restore_run_options)
