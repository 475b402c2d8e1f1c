"""Channels are taken away from a hall's network, and given back: panels and answer show what it says without them.

Which they are is in the scene, so that undo and saving know it; whatever the hall looks at then, it looks at so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import bpy

from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import InputError, SceneError
from ..live import results
from ..live.results import ablated
from ..live.session import current
from ..properties import ABLATED_CHANNELS, INPUT_TAG
from ..scene.panels import panel_of
from .bridge import network_of, show_input
from .selecting import selected


def ablate(scene: bpy.types.Scene, layer: str, channels: Sequence[int]) -> str:
    """Make channels of a layer 0 as soon as it has finished, besides those that are so already; the panels follow.

    What the panel of the layer shows becomes 0: the batch norm, where one is folded into it. Raises BridgeError,
    UnknownName or InputError.
    """
    count = len(panel_of(scene, layer).data.vertices)
    wrong = [one for one in channels if not 0 <= one < count]
    if wrong or not channels:
        told = f"there is no channel {wrong[0]}" if wrong else "name one or more"
        raise InputError(f"layer {layer} has channels 0 to {count - 1}; {told}")
    known = ablated(scene)
    _look_again(scene, known | {layer: sorted({*known.get(layer, ()), *channels})})
    return f"{layer} goes on without {_named(channels)}"


def ablate_selected(scene: bpy.types.Scene) -> str:
    """The same for the channel that is looked at. Raises SceneError where there is none."""
    layer, channel = selected(scene)
    if channel < 0:
        raise SceneError("no channel is selected; click a tile first")
    return ablate(scene, layer, [channel])


def restore_channels(scene: bpy.types.Scene, layer: str = "", channels: Sequence[int] = ()) -> str:
    """Give channels of a layer back, all of it where none is named; of all layers where no layer is.

    Raises BridgeError, or InputError where nothing of that was taken away.
    """
    known = ablated(scene)
    given = {id: set(channels or ones) & set(ones) for id, ones in known.items() if layer in ("", id)}
    if not any(given.values()):
        raise InputError(f"nothing{f' of {layer}' if layer else ''} that could be given back is ablated")
    left = {id: [one for one in ones if one not in given.get(id, ())] for id, ones in known.items()}
    _look_again(scene, left)
    return f"given back: {_named([one for ones in given.values() for one in ones])} of {', '.join(given)}"


def _named(channels: Sequence[int]) -> str:
    return f"channel {channels[0]}" if len(channels) == 1 else f"{len(channels)} channels"


def _look_again(scene: bpy.types.Scene, wanted: Mapping[str, Sequence[int]]) -> None:
    """At the same input, with these channels away. Raises BridgeError or InputError."""
    session, _ = current(), network_of(scene)
    tag = results.looks_at(session, scene)
    if tag not in session.looked:
        raise InputError("the input that the hall shows isn't known to the bridge any more; place it again first")
    session.ready()
    _keep(scene, wanted)
    show_input(scene, *session.looked[tag][1])


def _keep(scene: bpy.types.Scene, wanted: Mapping[str, Sequence[int]]) -> None:
    left = {layer: list(channels) for layer, channels in wanted.items() if channels}
    if left:
        scene[ABLATED_CHANNELS] = json.dumps(left)
    else:
        scene.pop(ABLATED_CHANNELS, None)


def _refused(tag: str, made: Recording | None) -> None:
    """A look with channels away won't come: those are away that were for what the hall shows."""
    session = current()
    for scene in results.halls_of(tag, INPUT_TAG) if made is None else ():
        shown = session.shown.get(scene.session_uid, "")
        if shown in session.looked:
            _keep(scene, session.ablated.get(shown, {}))


results.LISTENERS.append(_refused)
