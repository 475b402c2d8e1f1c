"""A bridge is started, joined and left; its networks become halls, and halls look at inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge.client import Given
from ...torch_bridge.client import channel as of_channel
from ...torch_bridge.client import file as of_file
from ...torch_bridge.client import item as of_item
from ...torch_bridge.client import join_bridge as _join
from ...torch_bridge.client import noise as of_noise
from ...torch_bridge.errors import BridgeError, InputError, UnknownName
from ...torch_bridge.recording import ACTIVATIONS, Recording
from ..live import showing, timer
from ..live.link import Link
from ..live.session import current
from ..live.showing import LOOK, METHOD, NETWORK, WORK
from ..scene import store
from ..scene.build import build
from ..scene.panels import SHOWS, panel_of

SHARED = "innerwalk_shared"
"""A property of a scene: the name of the hall that looks at whatever this one looks at."""


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
    current().joined(Link.start(python, order | {"device": device}, folder or None))
    timer.start()
    return f"starting a bridge with {', '.join(networks)}"


def join_bridge(connection: Path | str) -> str:
    """Join a running bridge by its connection file, on this machine or through a tunnel to it. Raises BridgeError."""
    current().joined(Link(_join(connection)))
    timer.start()
    return f"joined the bridge of {connection}"


def leave_bridge() -> str:
    """Leave the bridge, and end it if this Blender has started it. Halls stay as they are."""
    current().leave()
    return "left the bridge"


def build_hall(network: str) -> str:
    """Build the hall of a network of the bridge in a scene of its own, once it has looked at its first input.

    Raises BridgeError or UnknownName.
    """
    _known(network)
    tag = current().look(f"hall of {network}", network, ())
    _when(tag, lambda made: _stand(network, tag, made))
    return f"{network} looks at its first input; its hall follows"


def _stand(network: str, tag: str, made: Recording) -> None:
    scene = build(made)
    scene[NETWORK], scene[LOOK], scene[METHOD] = network, tag, ACTIVATIONS
    for panel in showing.targets(scene).values():
        panel[showing.FILLED] = tag
    if bpy.context.window:
        bpy.context.window.scene = scene
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message="Build Hall")


def follow(scene: bpy.types.Scene, network: str) -> str:
    """Let a hall that stands, of a recording or of a saved file, be that of a network of the bridge from now on.

    Raises BridgeError or UnknownName.
    """
    _known(network)
    scene[NETWORK] = network
    return f"{scene.name} follows {network}"


def place_input(
    scene: bpy.types.Scene, filepath: str = "", data: str = "", index: int = 0, noise: int = -1, layer: str = "",
    channel: int = -1,
) -> str:  # fmt: skip
    """Let the hall's network look at a file, at a picture of a data set, at noise of a seed, or at a channel's picture.

    Its panels change as the layers are reached. Raises BridgeError or InputError.
    """
    if [bool(filepath), bool(data), noise >= 0, bool(layer)].count(True) != 1:
        raise InputError("name one input: a file, a data set's picture, a seed of noise, or a layer's channel")
    if layer:
        given = of_channel(_shown_layer(scene, layer), showing.method_of(scene), channel)
    elif data:
        given = of_item(data, index)
    else:
        given = of_file(bpy.path.abspath(filepath)) if filepath else of_noise(noise)
    return show_input(scene, given)


def _shown_layer(scene: bpy.types.Scene, layer: str) -> str:
    """The layer whose maps the panel of a layer shows. Raises UnknownName."""
    return str(panel_of(scene, layer).get(SHOWS, layer))


def show_input(scene: bpy.types.Scene, *given: Given) -> str:
    """Let the hall's network look at inputs as `torch_bridge.client` names them, and the hall beside it that shares them.

    Raises BridgeError.
    """
    beside = bpy.data.scenes.get(str(scene.get(SHARED, "")))
    for one in filter(None, (scene, beside)):
        one[LOOK] = current().look(one.name, network_of(one), given)
    return f"{scene[NETWORK]} looks at {', '.join(_name(one.values) for one in given)}"


def network_of(scene: bpy.types.Scene) -> str:
    """The network of the bridge that a hall shows. Raises BridgeError."""
    if not scene.get(NETWORK):
        raise BridgeError(f"scene {scene.name} follows no network of the bridge; choose one for it")
    _known(scene[NETWORK])
    return str(scene[NETWORK])


def _name(values: Mapping[str, Any]) -> str:
    match values["kind"]:
        case "data":
            return f"{values['set']} {values['index']}"
        case "noise":
            return f"noise {values['seed']}"
        case "channel":
            return f"{values['layer']}, channel {values['channel']}"
        case "film":
            return str(values["film"])
    return str(values["name"])


def ask_method(
    scene: bpy.types.Scene, method: str, parameters: Mapping[str, Any] | None = None, data: str = "",
    layers: Sequence[str] = ("panels",),
) -> str:  # fmt: skip
    """Show what a method says about the hall's layers; they come as they are made. Raises BridgeError, UnknownName."""
    session, network = current(), network_of(scene)
    listed = {one["name"]: one for one in session.ready().described["methods"]}
    if method not in listed:
        raise UnknownName("method", method, listed)
    cancel_method(scene)
    showing.set_method(scene, method)
    if method == ACTIVATIONS and session.show_again(str(scene.get(LOOK))):
        scene.pop(WORK, None)
        return "the activations are shown again"
    asked = {"parameters": dict(parameters or {}), "data": data, "layers": list(layers)}
    scene[WORK] = session.work(network, method, **asked)
    session.asked[scene[WORK]] = method, asked
    if _ask_again not in showing.LISTENERS:
        showing.LISTENERS.append(_ask_again)
    return f"{network} is asked for {listed[method]['title'].lower()}"


def _ask_again(tag: str, made: Recording) -> None:
    """A hall that shows what a method says about its input has got another input."""
    session = current()
    needs = {one["name"]: one["needs"] for one in session.link.described.get("methods", [])} if session.link else {}
    for scene in showing.halls_of(tag):
        method, asked = session.asked.get(str(scene.get(WORK, "")), ("", {}))
        if scene.get(LOOK) == tag and needs.get(method) == "input":
            ask_method(scene, method, **asked)


def cancel_method(scene: bpy.types.Scene) -> str:
    """End the hall's job at its next step; what it has shown stays."""
    session, tag = current(), str(scene.get(WORK, ""))
    told = session.jobs.get(tag)
    if told is None or told["state"] not in ("waiting", "running"):
        return "no job is running"
    session.ask(lambda bridge: bridge.cancel(told["id"]), lambda told: None)
    return f"{told['what']['method']} ends at its next step"


def restore_shown() -> str:
    """After undo: halls show again what they asked for then, from memory, else the bridge is asked again."""
    session = current()
    for scene in store.halls():
        tag = str(scene.get(LOOK, ""))
        known = session.show_again(tag)
        session.show_again(str(scene.get(WORK, "")))
        if not known and session.state == "ready" and tag in session.looked:
            session.look(scene.name, *session.looked[tag], tag=tag)
    if session.pending:
        timer.start()
    return "halls show what they asked for then"


def forget_asked() -> str:
    """After opening a file: what its halls have asked for was heard in another run."""
    for scene in store.halls():
        scene.pop(LOOK, None)
        scene.pop(WORK, None)
    return "halls show what their file holds"


def wait_for_bridge(scene: bpy.types.Scene | None = None, seconds: float = 600.0) -> str:
    """For scripts: wait until the bridge is ready and the hall shows everything that was asked. Raises BridgeError."""
    session = current()

    def settled() -> bool:
        if session.state in ("off", "ended"):
            raise BridgeError(session.error or "there is no bridge")
        return session.state == "ready" and not _pending and (scene is None or _shown(scene))

    timer.wait(settled, seconds)
    return "everything is shown"


def _shown(scene: bpy.types.Scene) -> bool:
    session, tag = current(), str(scene.get(WORK, ""))
    job = session.jobs.get(tag)
    if session.error:
        raise BridgeError(session.error)
    looked = not scene.get(LOOK) or session.recalled(str(scene[LOOK])) is not None
    return looked and (job is None or job["state"] not in ("waiting", "running"))


def _known(network: str) -> None:
    listed = [one["name"] for one in current().ready().described["networks"]]
    if network not in listed:
        raise UnknownName("network of the bridge", network, listed)


_pending: dict[str, Any] = {}
"""By tag: what is done once its recording is there."""


def _when(tag: str, then: Any) -> None:
    _pending[tag] = then
    if _arrived not in showing.LISTENERS:
        showing.LISTENERS.append(_arrived)
        showing.FAILED.append(_lost)


def _arrived(tag: str, made: Recording) -> None:
    then = _pending.pop(tag, None)
    if then is not None:
        then(made)


def _lost(tag: str) -> None:
    _pending.pop(tag, None)
