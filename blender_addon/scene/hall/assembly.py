"""A hall in Blender: a laid-out recording in a scene of its own, with panels, dressing and sky."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording import ACTIVATIONS, LINK_PREFIX, Layer, Progress, Recording
from ...layout import Hall, Slot
from ...layout.blocks import matching_blocks
from ...layout.boards import title_board
from ...layout.text_fitting import Label
from ...layout.view import View
from ...plans.entrance_boards import TitleFacts, plan_title, title_facts
from ...plans.panel_frames import labels_by_slot, panel_plane, plan_panel_frame
from ...plans.surroundings import edge_kinds, plan_surroundings
from ...properties import (
    INPUT_NAME,
    OBJECT_ROLE,
    PANEL_BLOCK,
    PANEL_CHOSEN_CHANNELS,
    PANEL_LAYER_ID,
    PANEL_ORDER,
    PANEL_SHOWN_LAYER,
)
from ..dressing import input_overlay, sky
from ..dressing.scene_scale import read_colour_scale
from ..materials.scene_colours import set_scene_colours
from ..paint.meshes import add_plan
from ..paint.pictures import add_pictures
from ..paint.styles import theme_style
from ..panels import add_panel, panels, size_of, update_network_peak
from ..panels.panel_display import choose_display
from ..state.parts import hall_collection
from . import map_updates as following
from .store import Appearance, set_planned_place

FOG = (6.0, 45.0)
"""Metres without air to a walker, and metres in which a colour then falls to 1/e."""


class BuildContext:
    """What building needs everywhere: recording, its shown layers and their plan, dress, camera if any, colours.

    standing: by layer, panels that are in the scene already and go on as they are.
    """

    def __init__(
        self, scene: bpy.types.Scene, recording: Recording, layers: Sequence[Layer], hall: Hall, appearance: Appearance,
        view: View | None = None, standing: Mapping[str, bpy.types.Object] | None = None,
    ) -> None:  # fmt: skip
        self.scene, self.recording, self.layers, self.hall = scene, recording, layers, hall
        self.appearance, self.view, self.standing = appearance, view, standing or {}
        self.collection = hall_collection(scene)
        self.style = theme_style(appearance.theme)

    @cached_property
    def linked(self) -> dict[str, set[int]]:
        """By layer: channels that the method links to those of other layers."""
        found: dict[str, set[int]] = {}
        for maps in self.recording.all_maps.values():
            for name, rows in maps.extras.items() if maps.method == self.appearance.method else ():
                if name.startswith(LINK_PREFIX):
                    found.setdefault(maps.layer, set()).update(rows[:, 0].astype(int).tolist())
                    found.setdefault(name.removeprefix(LINK_PREFIX), set()).update(rows[:, 1].astype(int).tolist())
        return found

    @property
    def figure(self) -> bool:
        """True where the doors stand parallel, to be seen from outside."""
        return self.hall.parallel_yaw is not None

    @property
    def over(self) -> bool:
        """True for an orthographic picture of the whole."""
        return self.view is not None and self.view.span is not None

    def pixel(self, slot: Slot) -> float | None:
        """Metres a pixel at the nearest corner of a panel; None without a camera, or where a corner is beside it."""
        if self.view is None:
            return None
        feet = slot.corners(self.hall.yaw(slot))
        corners = np.array([(*foot, z) for foot in feet for z in (slot.bottom, slot.top)])
        nearest = corners[np.argmin(self.view.project(corners)[:, 2])]
        return self.view.pixel(nearest) if self.over or self.view.project(nearest)[2] > 0.3 else None


def add_hall(
    context: BuildContext, *, moved: Mapping[str, Matrix] | None = None, fog: tuple[float, float] = FOG, focus: str = "",
    progress: Progress | None = None,
) -> None:  # fmt: skip
    """Panels and dressing in an empty scene of ours.

    moved: by layer, how far a person moved its panel; focus: the layer that a card tells about, which has no name then.
    """
    set_environment(context, fog)
    add_panels(context, moved or {}, focus, progress)
    add_dressing(context, numbered=not focus)
    input_overlay.restore_overlay(context.scene)
    following.update_after_maps(context.scene, context.view.span / context.view.width if context.over else 0.0)


def set_environment(context: BuildContext, fog: tuple[float, float]) -> None:
    """Look, air and sky; a figure that is seen from outside has neither air nor horizon."""
    scene, appearance = context.scene, context.appearance
    air = () if context.figure else fog
    set_scene_colours(
        scene,
        ramp=appearance.colour_map,
        normalisation=appearance.normalisation,
        gain=appearance.gain,
        theme=appearance.theme,
        fog=air,
    )
    sky.set_sky(scene, context.style.palette, plain="floor" if context.figure else None)


def add_panels(context: BuildContext, moved: Mapping[str, Matrix], focus: str, progress: Progress | None) -> None:
    """Every panel with its frame and name, hung on its post or where a person has put it."""
    named = labels_by_slot(context.hall, context.layers, context.view)
    slots = context.hall.panels
    for done, slot in enumerate(slots):
        layer = context.layers[slot.index]
        panel = _panel(context, slot, layer, named.get(slot.index, []) if layer.id != focus else [])
        panel[PANEL_ORDER] = slot.index
        set_planned_place(panel, panel_matrix(context.hall, slot))
        panel.matrix_world @= moved.get(layer.id, Matrix.Identity(4))
        if progress:
            progress("building the hall", (done + 1) / len(slots))
    _name_blocks(context)
    update_network_peak(context.scene)


def _name_blocks(context: BuildContext) -> None:
    """Write on a panel which block it stands for."""
    layers, globs = context.recording.network.folded()[0], context.appearance.collapse
    stands = {layers[block.last].id: block.name for block in matching_blocks(layers, globs)}
    for id, panel in panels(context.scene).items():
        panel.pop(PANEL_BLOCK, None)
        if id in stands:
            panel[PANEL_BLOCK] = stands[id]


def _panel(context: BuildContext, slot: Slot, layer: Layer, words: list[Label]) -> bpy.types.Object:
    maps = context.recording.all_maps.get((layer.shows or layer.id, context.appearance.method))
    size, note = (slot.width, slot.height), "not recorded" if context.appearance.method == ACTIVATIONS else "not asked"
    if layer.id in context.standing:
        panel, note = context.standing[layer.id], ""
        size = size_of(panel)
    elif maps is None:
        panel = add_empty_panel(context.collection, layer)
    else:
        channels = layer.map_shape[0]
        whole = maps.channels == channels
        needed = context.linked.get(maps.layer, ())
        shown = choose_display(maps, slot, context.pixel(slot), reduce=context.over and whole, needed=needed)
        panel = add_panel(context.collection, layer.id, layer.id, shown.maps, shown.grid, 0 if whole else channels)
        size, note = shown.size, ""
        if shown.channels:
            panel[PANEL_CHOSEN_CHANNELS] = shown.channels
    panel[PANEL_SHOWN_LAYER] = layer.shows or layer.id
    frame = plan_panel_frame(context.hall, slot, size, words, note, context.style)
    add_plan(frame, context.collection, name=f"{panel.name} frame", parent=panel)
    return panel


def add_empty_panel(collection: bpy.types.Collection, layer: Layer) -> bpy.types.Object:
    """What stands for a layer whose maps were not recorded."""
    panel = bpy.data.objects.new(layer.id, None)
    panel[PANEL_LAYER_ID], panel[OBJECT_ROLE] = layer.id, "empty"
    panel.empty_display_size = 0.1
    collection.objects.link(panel)
    return panel


def panel_matrix(hall: Hall, slot: Slot) -> Matrix:
    """Returns where a panel hangs: its lower left corner, x along the panel, z to the viewer."""
    return Matrix(panel_plane(hall, slot).matrix().tolist())


def add_dressing(context: BuildContext, *, numbered: bool = True) -> None:
    """Adds everything but the panels. numbered: with house numbers."""
    for plan in plan_surroundings(
        context.recording,
        context.layers,
        context.hall,
        context.view,
        _title_facts(context),
        read_colour_scale(context.scene),
        context.style,
        numbered=numbered,
    ):
        holder = add_plan(plan, context.collection)
        if plan.role == "input frame":
            holder[INPUT_NAME] = context.recording.input_name
        add_pictures(plan, holder, context.collection)


def add_title(context: BuildContext) -> bpy.types.Object:
    """Adds the title board, with a legend of the scene's colours as they are now."""
    facts, scale, kinds = _title_facts(context), read_colour_scale(context.scene), edge_kinds(context.hall)
    weights, board = context.recording.network.weights, title_board(context.hall)
    return add_plan(plan_title(facts, weights, scale, kinds, board, context.style), context.collection)


def _title_facts(context: BuildContext) -> TitleFacts:
    return title_facts(
        context.recording.network, context.appearance.title, len(context.hall.panels), chosen=_chosen(context)
    )


def _chosen(context: BuildContext) -> bool:
    """Whether a panel shows fewer channels than were recorded."""
    there, recorded = panels(context.scene), context.recording.all_maps
    shows = {layer.id: (layer.shows or layer.id, context.appearance.method) for layer in context.layers}
    pairs = ((len(panel.data.vertices), recorded.get(shows[id])) for id, panel in there.items())
    return any(maps is not None and count < maps.channels for count, maps in pairs)
