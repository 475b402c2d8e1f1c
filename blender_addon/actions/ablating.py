"""Channels of a hall's network are ablated (set to 0) and restored; panels and answer show the network without them.

The ablated channels are stored in the scene, so undo and saving cover them, and each input is run without them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import bpy

from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import InputError, SceneError
from ..live import hall_requests
from ..live.hall_requests import ablated_channels
from ..live.session import current
from ..properties import ABLATED_CHANNELS, INPUT_TAG
from ..scene.panels import panel_of
from .bridge import network_of, show_input
from .selecting import selected


def ablate(scene: bpy.types.Scene, layer: str, channels: Sequence[int]) -> str:
    """Sets channels of a layer to 0 as soon as it has run, besides those ablated before, and runs the input again.

    Where a batch norm is folded into the panel of the layer, the batch norm's channels become 0. Returns a line that
    says which channels are ablated. Raises BridgeError, UnknownName for the layer, or InputError for the channels.
    """
    count = len(panel_of(scene, layer).data.vertices)
    unknown = [channel for channel in channels if not 0 <= channel < count]
    if unknown or not channels:
        problem = f"there is no channel {unknown[0]}" if unknown else "name one or more"
        raise InputError(f"layer {layer} has channels 0 to {count - 1}; {problem}")
    ablated = ablated_channels(scene)
    _run_input_again(scene, ablated | {layer: sorted({*ablated.get(layer, ()), *channels})})
    return f"ablated {_describe(channels)} of {layer}"


def ablate_selected(scene: bpy.types.Scene) -> str:
    """Ablates the selected channel; otherwise as `ablate`. Raises SceneError if no channel is selected."""
    layer, channel = selected(scene)
    if channel < 0:
        raise SceneError("no channel is selected; click a tile first")
    return ablate(scene, layer, [channel])


def restore_channels(scene: bpy.types.Scene, layer: str = "", channels: Sequence[int] = ()) -> str:
    """Ends the ablation of channels, and runs the input again.

    layer: whose channels are restored, "" for all layers. channels: () for all. Returns a line that says which
    channels are restored. Raises BridgeError, or InputError if none of them is ablated.
    """
    ablated = ablated_channels(scene)
    restored = {id: set(channels or old) & set(old) for id, old in ablated.items() if layer in ("", id)}
    if not any(restored.values()):
        raise InputError(f"no channel{f' of {layer}' if layer else ''} to restore is ablated")
    left = {id: [channel for channel in old if channel not in restored.get(id, ())] for id, old in ablated.items()}
    _run_input_again(scene, left)
    restored_channels = [channel for channels in restored.values() for channel in channels]
    return f"restored {_describe(restored_channels)} of {', '.join(restored)}"


def _describe(channels: Sequence[int]) -> str:
    return f"channel {channels[0]}" if len(channels) == 1 else f"{len(channels)} channels"


def _run_input_again(scene: bpy.types.Scene, ablated: Mapping[str, Sequence[int]]) -> None:
    """Runs the hall's last input with these channels ablated. Raises BridgeError or InputError."""
    network_of(scene)
    session = current()
    request = session.input_request(hall_requests.input_tag(session, scene))
    if request is None or request.inputs is None:
        raise InputError("the hall's input is no longer in memory; place it again first")
    session.ready_link()
    _store(scene, ablated)
    show_input(scene, *request.inputs)


def _store(scene: bpy.types.Scene, ablated: Mapping[str, Sequence[int]]) -> None:
    left = {layer: list(channels) for layer, channels in ablated.items() if channels}
    if left:
        scene[ABLATED_CHANNELS] = json.dumps(left)
    else:
        scene.pop(ABLATED_CHANNELS, None)


def _on_failure(tag: str, recording: Recording | None) -> None:
    """Listener: after a failed run, restores the stored ablation to that of the input that the hall shows."""
    session = current()
    for scene in hall_requests.halls_with_tag(tag, INPUT_TAG) if recording is None else ():
        shown = session.hall(scene.session_uid).shown
        if session.input_request(shown) is not None:
            _store(scene, session.ablation_of(shown))


hall_requests.LISTENERS.append(_on_failure)
