"""What the inspector shows of the selected layer and channel, for each hall that is drawn.

After each change of a hall its cache key is compared. Results are computed again if the key differs and the last ones
were drawn, so that nothing is computed for a closed sidebar. Drawing compares the key too, for changes that call no
handler, and starts a timer that updates the results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

from ...properties import (
    BOARD_COLOUR,
    CHANNEL_NUMBER,
    COLOUR_GAIN,
    COLOUR_MAP,
    LARGEST_PEAK,
    LOGARITHMIC_HISTOGRAMS,
    PANEL_FILL_COUNT,
    PANEL_NAMES,
    PEAK_WEIGHTS,
    SELECTED_CHANNEL,
    SELECTED_LAYER,
    WEIGHT_STATISTICS_LAYER,
)
from ..common import previews

if TYPE_CHECKING:
    from ...actions.inspecting import Inspection

SLICE_SECONDS = 0.015
"""Seconds of work at a time."""
PAUSE_SECONDS = 0.01
"""Seconds between two slices."""
WALK_PAUSE_SECONDS = 0.5
"""Seconds between two checks whether a walk has ended."""
COLOUR_KEYS = (COLOUR_GAIN, COLOUR_MAP, PEAK_WEIGHTS, LARGEST_PEAK, BOARD_COLOUR)
"""Scene properties that change what the inspector draws."""


@dataclass
class InspectedState:
    """Results of one hall."""

    key: tuple[Any, ...]
    layer: Inspection | None = None
    channel: Inspection | None = None
    error: str = ""


@dataclass
class _InspectorState:
    """Results and pending work; scenes are keyed by their session_uid."""

    results: dict[int, InspectedState] = field(default_factory=dict)
    requested: set[int] = field(default_factory=set)
    """Scenes that were drawn with old results."""
    running: dict[int, Generator[None, None, InspectedState]] = field(default_factory=dict)
    """Unfinished computations."""
    drawn: set[int] = field(default_factory=set)
    """Scenes whose inspector was drawn since their last computation."""
    generation: int = 0
    """Counter, incremented whenever values may have changed."""
    cursor_value: str = ""
    """The value under the cursor, in words."""


state = _InspectorState()


def inspected_state(scene: bpy.types.Scene) -> InspectedState | None:
    """Returns the results for a hall's selection; starts the timer if they are out of date."""
    result, key = state.results.get(scene.session_uid), cache_key(scene)
    state.drawn.add(scene.session_uid)
    if result is None or result.key != key:
        state.requested.add(scene.session_uid)
        if not bpy.app.timers.is_registered(update):
            bpy.app.timers.register(update, first_interval=0.0)
    selection = key[:2]
    if result and result.key[:2] != selection:  # show nothing rather than another channel's results
        return InspectedState(result.key, result.layer if result.key[0] == selection[0] else None)
    return result


def cache_key(scene: bpy.types.Scene) -> tuple[Any, ...]:
    """Returns everything that the results depend on: (layer, channel, …, whether histograms are logarithmic)."""
    colours = [scene.get(key, 0.0) for key in COLOUR_KEYS]
    layer = scene.get(SELECTED_LAYER, "")
    return (
        layer,
        scene.get(SELECTED_CHANNEL, -1),
        scene.get(WEIGHT_STATISTICS_LAYER, ""),
        *(value if isinstance(value, (int, float)) else tuple(value) for value in colours),
        *_panel_state(scene, layer),
        state.generation,
        bool(getattr(bpy.context.window_manager, LOGARITHMIC_HISTOGRAMS, False)),
    )


def update() -> float | None:
    """Runs a slice of the pending work and redraws; returns the seconds until the next one, None for no more.

    Pauses during a walk: its frames must not wait, and its card shows the same.
    """
    if _is_walking():
        return WALK_PAUSE_SECONDS
    scenes = {scene.session_uid for scene in bpy.data.scenes}
    for removed in state.results.keys() - scenes:
        del state.results[removed]
        previews.remove(preview_name(removed, ""))
    for uid in (state.requested & scenes) - state.running.keys():
        state.running[uid] = _inspect_in_steps(uid)
    state.requested.clear()
    if all([_run_slice(uid) for uid in list(state.running)]):
        redraw()
    return PAUSE_SECONDS if state.running else None


def _is_walking() -> bool:
    from ...vr.walk import current

    return current() is not None


def _run_slice(uid: int) -> bool:
    """Runs a slice of a computation, all of it in the background; returns whether it is finished."""
    from ...time_slicing import run_for

    work = state.running.pop(uid)
    try:
        run_for(work, math.inf if bpy.app.background else SLICE_SECONDS)
    except StopIteration as stop:
        state.results[uid] = stop.value
        return True
    state.running[uid] = work
    return False


def _inspect_in_steps(uid: int) -> Generator[None, None, InspectedState]:
    """Computes the results of a scene, which may be removed between two steps."""
    from ....torch_bridge.recording.errors import InnerwalkError
    from ...actions import selected
    from ...actions.inspecting import inspect_channel_in_steps, inspect_layer_in_steps

    scene = _find_scene(uid)
    if scene is None:
        return InspectedState(())
    result, (layer, channel) = InspectedState(cache_key(scene)), selected(scene)
    logarithmic = bool(result.key[-1])
    try:
        if layer and channel >= 0:
            inspection = yield from inspect_channel_in_steps(scene, layer, channel)
            result.channel = _store_pictures(uid, "channel", inspection)
        if layer and (scene := _find_scene(uid)) is not None:
            inspection = yield from inspect_layer_in_steps(scene, layer, logarithmic)
            result.layer = _store_pictures(uid, "layer", inspection)
    except InnerwalkError as error:
        result.error = str(error)
    return result


def _find_scene(uid: int) -> bpy.types.Scene | None:
    return next((scene for scene in bpy.data.scenes if scene.session_uid == uid), None)


def _store_pictures(uid: int, owner: str, inspection: Inspection) -> Inspection:
    """Moves the pictures of a "layer" or "channel" to the previews; only their names stay."""
    for name, pixels in inspection.pictures.items():
        previews.store(preview_name(uid, f"{owner} {name}"), pixels)
    return inspection._replace(pictures=dict.fromkeys(inspection.pictures))


def can_overlay(scene: bpy.types.Scene, layer: str) -> bool:
    """Returns whether the maps of a layer can be laid over the input picture."""
    from ...scene.dressing.input_overlay import covers_input

    return covers_input(scene, layer)


def is_overlay_shown(scene: bpy.types.Scene) -> bool:
    """Returns whether a map lies over the input picture."""
    from ...scene.dressing.input_overlay import is_overlay_shown as is_shown

    return is_shown(scene)


def preview_name(uid: int, picture: str) -> str:
    """Returns the name of a hall's picture among the previews."""
    return f"{uid} {picture}"


def redraw() -> None:
    """Redraws all 3D views and their sidebars."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


@persistent
def on_depsgraph_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Computes the results again after a change that they depend on, such as new maps on the selected panel."""
    if not state.results or _is_walking():
        return
    uid = scene.session_uid
    if uid in state.running or uid not in state.drawn or uid not in state.results:
        return
    if state.results[uid].key == cache_key(scene):
        return
    state.drawn.discard(uid)
    state.running[uid] = _inspect_in_steps(uid)
    if not _run_slice(uid) and not bpy.app.timers.is_registered(update):
        bpy.app.timers.register(update, first_interval=PAUSE_SECONDS)


def _panel_state(scene: bpy.types.Scene, layer: str) -> tuple[int, str]:
    """Returns how often the maps of a layer's panel have changed, and what people have named its channels."""
    from ...scene.panels import find_panel

    panel = find_panel(scene, layer)
    return (int(panel.get(PANEL_FILL_COUNT, 0)), str(panel.get(PANEL_NAMES, ""))) if panel else (0, "")


@persistent
def invalidate(*_: Any) -> None:
    """Marks all results as out of date, after undo, redo and opening a file; ends computations with old objects."""
    state.generation += 1
    state.running.clear()
    state.cursor_value = ""


def close() -> None:
    """Stops the timer and drops all results, when the extension is disabled."""
    if bpy.app.timers.is_registered(update):
        bpy.app.timers.unregister(update)
    state.results.clear()
    state.requested.clear()
    state.drawn.clear()
    state.running.clear()
    previews.clear()


def _get_channel(scene: bpy.types.Scene) -> int:
    return max(int(scene.get(SELECTED_CHANNEL, -1)), 0)


def _set_channel(scene: bpy.types.Scene, channel: int) -> None:
    """Selects a channel of the selected layer, the nearest that has a map."""
    from ...actions import select, selected
    from ...scene.panels import held_channels, panels

    layer = selected(scene).layer
    panel = panels(scene).get(layer)
    if panel is not None:
        held = held_channels(panel)
        select(scene, layer, int(held[abs(held - channel).argmin()]))


_channel_number = bpy.props.IntProperty(  # type: ignore[func-returns-value]
    name="Channel", description="Number of the selected channel, from 0", min=0, get=_get_channel, set=_set_channel
)
_logarithmic = bpy.props.BoolProperty(  # type: ignore[func-returns-value]
    name="Logarithmic", description="Show the logarithm of the counts in histograms"
)
PROPERTIES = (
    (bpy.types.Scene, CHANNEL_NUMBER, _channel_number),
    (bpy.types.WindowManager, LOGARITHMIC_HISTOGRAMS, _logarithmic),
)
HANDLERS = (
    (bpy.app.handlers.depsgraph_update_post, on_depsgraph_update),
    (bpy.app.handlers.undo_post, invalidate),
    (bpy.app.handlers.redo_post, invalidate),
    (bpy.app.handlers.load_post, invalidate),
)
CLOSING: tuple[Callable[[], None], ...] = (close,)
