"""The inspector's state: what it tells of the selected layer and channel of each hall that is drawn.

After each change of a hall a key is compared, and a look is taken where it is another and what was told before has been
drawn: nothing is computed while nobody looks. Drawing compares the key too, for what no handler hears of, and asks for
a look by a timer that runs once.
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
    PEAK_WEIGHTS,
    SELECTED_CHANNEL,
    SELECTED_LAYER,
    WEIGHED_LAYER,
)
from ..common import previews

if TYPE_CHECKING:
    from ...actions.inspecting import Inspected

BUSY, REST, PATIENCE = 0.015, 0.01, 0.5
"""Seconds of looking at a time, and until the next; and while somebody walks."""
COLOUR_KEYS = (COLOUR_GAIN, COLOUR_MAP, PEAK_WEIGHTS, LARGEST_PEAK, BOARD_COLOUR)
"""Scene properties that change what the inspector draws."""


@dataclass
class Shown:
    """What is told of one hall."""

    key: tuple[Any, ...]
    layer: Inspected | None = None
    channel: Inspected | None = None
    error: str = ""


@dataclass
class _State:
    shown: dict[int, Shown] = field(default_factory=dict)
    """By the scene's session_uid."""
    asked: set[int] = field(default_factory=set)
    looking: dict[int, Generator[None, None, Shown]] = field(default_factory=dict)
    """Looks that aren't finished."""
    drawn: set[int] = field(default_factory=set)
    """Halls whose inspector was drawn since the last look."""
    turn: int = 0
    """Goes up whenever values may have changed."""
    pointed: str = ""
    """The value under the cursor, in words."""


state = _State()


def told(scene: bpy.types.Scene) -> Shown | None:
    """What is known of a hall's selection, perhaps from a moment ago; a look is taken soon if it isn't up to date."""
    found, key = state.shown.get(scene.session_uid), key_of(scene)
    state.drawn.add(scene.session_uid)
    if found is None or found.key != key:
        state.asked.add(scene.session_uid)
        if not bpy.app.timers.is_registered(look):
            bpy.app.timers.register(look, first_interval=0.0)
    chosen = key[:2]
    if found and found.key[:2] != chosen:  # better nothing than what is another's
        return Shown(found.key, found.layer if found.key[0] == chosen[0] else None)
    return found


def key_of(scene: bpy.types.Scene) -> tuple[Any, ...]:
    """Everything that what is told depends on: selection, colours, and numbers for the values."""
    colours = [scene.get(key, 0.0) for key in COLOUR_KEYS]
    manager = bpy.context.window_manager
    chosen = (scene.get(SELECTED_LAYER, ""), scene.get(SELECTED_CHANNEL, -1), scene.get(WEIGHED_LAYER, ""))
    flat = tuple(value if isinstance(value, (int, float)) else tuple(value) for value in colours)
    return (
        *chosen,
        *flat,
        _filled(scene, chosen[0]),
        state.turn,
        bool(getattr(manager, LOGARITHMIC_HISTOGRAMS, False)),
    )


def look() -> float | None:
    """Look at what was asked for, some of it at a time, and draw again; seconds until the next, None for no more.

    Not during a walk, whose frames don't wait and whose card tells the same.
    """
    if _somebody_walks():
        return PATIENCE
    there = {scene.session_uid: scene for scene in bpy.data.scenes}
    for gone in state.shown.keys() - there.keys():
        del state.shown[gone]
        previews.drop(picture_name(gone, ""))
    for id in (state.asked & there.keys()) - state.looking.keys():
        state.looking[id] = _looks(id)
    state.asked.clear()
    if all([_done(id) for id in list(state.looking)]):
        redraw()
    return REST if state.looking else None


def _somebody_walks() -> bool:
    from ...vr.walk import current

    return current() is not None


def _done(id: int) -> bool:
    """Look for a while; whether all was seen. In the background nobody waits for anything else."""
    from ...time_slicing import some

    try:
        some(state.looking[id], math.inf if bpy.app.background else BUSY)
    except StopIteration as done:
        del state.looking[id]
        state.shown[id] = done.value
    return id not in state.looking


def _looks(id: int) -> Generator[None, None, Shown]:
    """The scene may be gone at any step."""
    from ....torch_bridge.recording.errors import InnerwalkError
    from ...actions import selected
    from ...actions.inspecting import channel_in_parts, layer_in_parts

    scene = _scene(id)
    if scene is None:
        return Shown(())
    shown, (layer, channel) = Shown(key_of(scene)), selected(scene)
    try:
        if layer and channel >= 0:
            shown.channel = _kept(id, "channel", (yield from channel_in_parts(scene, layer, channel)))
        if layer and (scene := _scene(id)) is not None:
            shown.layer = _kept(id, "layer", (yield from layer_in_parts(scene, layer, bool(shown.key[-1]))))
    except InnerwalkError as error:
        shown.error = str(error)
    return shown


def _scene(id: int) -> bpy.types.Scene | None:
    return next((one for one in bpy.data.scenes if one.session_uid == id), None)


def _kept(id: int, what: str, found: Inspected) -> Inspected:
    for name, pixels in found.pictures.items():
        previews.put(picture_name(id, f"{what} {name}"), pixels)
    return found._replace(pictures=dict.fromkeys(found.pictures))


def lies_over_input(scene: bpy.types.Scene, layer: str) -> bool:
    """Whether the maps of a layer can be laid over the input picture."""
    from ...scene.dressing.input_overlay import fits

    return fits(scene, layer)


def picture_name(scene: int, what: str) -> str:
    """Under which a picture of a hall is kept; scene: its session_uid."""
    return f"{scene} {what}"


def redraw() -> None:
    """Draw all 3D views again, sidebars too."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


@persistent
def note_changes(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Filling a panel tags it. Of others than the selected one nothing is told."""
    if not state.shown or _somebody_walks():
        return
    id = scene.session_uid
    if id in state.looking or id not in state.drawn or id not in state.shown or state.shown[id].key == key_of(scene):
        return
    state.drawn.discard(id)
    state.looking[id] = _looks(id)
    if not _done(id) and not bpy.app.timers.is_registered(look):
        bpy.app.timers.register(look, first_interval=REST)


def _filled(scene: bpy.types.Scene, layer: str) -> int:
    """How often the layer's panel was filled."""
    from ...scene.panels import find

    panel = find(scene, layer)
    return int(panel.get(PANEL_FILL_COUNT, 0)) if panel else 0


@persistent
def forget(*_: Any) -> None:
    """After undo, redo and opening a file, what was told may be of something else."""
    state.turn += 1
    state.pointed = ""


def close() -> None:
    """Nothing is kept when the extension is taken away."""
    if bpy.app.timers.is_registered(look):
        bpy.app.timers.unregister(look)
    state.shown.clear()
    state.asked.clear()
    state.drawn.clear()
    state.looking.clear()
    previews.clear()


def _channel(scene: bpy.types.Scene) -> int:
    return max(int(scene.get(SELECTED_CHANNEL, -1)), 0)


def _set_channel(scene: bpy.types.Scene, channel: int) -> None:
    from ...actions import select, selected
    from ...scene.panels import panels

    layer = selected(scene).layer
    panel = panels(scene).get(layer)
    if panel is not None:
        select(scene, layer, min(channel, len(panel.data.vertices) - 1))


_number = bpy.props.IntProperty(  # type: ignore[func-returns-value]
    name="Channel", description="Number of the channel that is looked at, from 0", min=0, get=_channel, set=_set_channel
)
_logarithmic = bpy.props.BoolProperty(  # type: ignore[func-returns-value]
    name="Logarithmic", description="Bars of histograms are as high as the logarithm of their counts"
)
PROPERTIES = (
    (bpy.types.Scene, CHANNEL_NUMBER, _number),
    (bpy.types.WindowManager, LOGARITHMIC_HISTOGRAMS, _logarithmic),
)
HANDLERS = (
    (bpy.app.handlers.depsgraph_update_post, note_changes),
    *((held, forget) for held in (bpy.app.handlers.undo_post, bpy.app.handlers.redo_post, bpy.app.handlers.load_post)),
)
CLOSING: tuple[Callable[[], None], ...] = (close,)
