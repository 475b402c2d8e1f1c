"""Channels of a hall's network are ablated (set to 0) and restored; panels and answer show the network without them.

The ablated channels are stored in the scene, so undo and saving cover them, and each input is run without them.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ...torch_bridge.recording.errors import InputError, SceneError
from ..live import hall_requests
from ..live.stored_choices import ablated_channels
from ..scene.panels import panel_of, shows_channels
from .bridge import run_input_again
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
    ablated[layer] = sorted({*ablated.get(layer, ()), *channels})
    run_input_again(scene, hall_requests.run_options(scene)._replace(ablate=ablated))
    return f"ablated {_describe(channels)} of {layer}"


def ablate_selected(scene: bpy.types.Scene) -> str:
    """Ablates the selected channel; otherwise as `ablate`. Raises SceneError if none is, or the map is no channel."""
    layer, channel = selected(scene)
    if channel < 0:
        raise SceneError("no channel is selected; click a tile first")
    if not shows_channels(panel_of(scene, layer)):
        raise SceneError(f"the maps of {layer} are no channels; name the channels, or show activations first")
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
    run_input_again(scene, hall_requests.run_options(scene)._replace(ablate=left))
    restored_channels = [channel for channels in restored.values() for channel in channels]
    return f"restored {_describe(restored_channels)} of {', '.join(restored)}"


def _describe(channels: Sequence[int]) -> str:
    return f"channel {channels[0]}" if len(channels) == 1 else f"{len(channels)} channels"
