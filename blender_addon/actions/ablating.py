"""Channels of a hall's network are ablated (set to 0) and restored; panels and answer show the network without them.

The ablated channels are stored in the scene, so undo and saving cover them, and each input is run without them.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ...torch_bridge.recording import ACTIVATIONS
from ...torch_bridge.recording.errors import InputError, SceneError, UnknownName
from ..live import hall_requests
from ..live.stored_choices import ablated_channels
from ..plans.number_text import format_close_share, format_count
from ..properties import DISSECTION_METHOD, METHOD_TAG, WHOLE_ANSWER
from ..scene.hall import store
from ..scene.panels import panel_of, shows_channels
from ..scene.panels.label_search import concept_channels
from .bridge import network_of, run_input_again
from .methods import cancel_method
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


def ablate_concept(scene: bpy.types.Scene, concept: str, layer: str = "") -> str:
    """Ablates all channels that detect a concept, as Network Dissection has found in this hall.

    concept: its whole name, such as ring. layer: whose channels are ablated, "" for those of all layers. A hall that
    shows the dissection shows activations then. Returns a line that says how many channels are ablated. Raises
    UnknownName for the concept, InputError if all of them are ablated already, or as `ablate`.
    """
    network_of(scene)
    known = concept_channels(scene)
    units = {id: own for id, own in known.get(concept, {}).items() if layer in ("", id)}
    if not units:
        raise UnknownName(f"channel{f' of {layer}' if layer else ''} that detects", concept, known)
    ablated = ablated_channels(scene)
    new = {id: [channel for channel in own if channel not in ablated.get(id, ())] for id, own in units.items()}
    if not any(new.values()):
        raise InputError(f"all channels that detect {concept} are ablated already")
    merged = {id: sorted({*ablated.get(id, ()), *units.get(id, ())}) for id in ablated | units}
    run_input_again(scene, hall_requests.run_options(scene)._replace(ablate=merged))
    if hall_requests.method_of(scene) == DISSECTION_METHOD:  # else all pictures would be looked at again
        cancel_method(scene)
        scene.pop(METHOD_TAG, None)
        hall_requests.set_method(scene, ACTIVATIONS)
    return f"ablated {concept}: {format_count(sum(map(len, units.values())), 'channel')} of {', '.join(units)}"


def ablation_facts(scene: bpy.types.Scene) -> list[tuple[str, str]]:
    """Returns what a hall with ablated channels predicts, as (name, text): with all channels and without these.

    The first is left out where it isn't known, as of an input that was placed later. Raises SceneError.
    """
    count = sum(map(len, ablated_channels(scene).values()))
    if not count:
        return []
    top, whole = store.read_description(scene).prediction.top, str(scene.get(WHOLE_ANSWER, ""))
    shares = {name: format_close_share(share) for _, name, share in top}
    now = " ".join(next(iter(shares.items()), ()))
    before = whole.rpartition(" ")[0]
    also = f", {before} {shares[before]}" if before in shares and not now.startswith(f"{before} ") else ""
    facts = [("Ablated", format_count(count, "channel")), ("Before", whole), ("Now", f"{now}{also}")]
    return [(name, text) for name, text in facts if text]


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
