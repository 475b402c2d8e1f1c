"""A hall in Blender: a laid-out recording in a scene of its own, with panels, dressing and sky."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording import ACTIVATIONS, Layer, Progress, Recording
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
from ..materials.look import set_look
from ..paint.meshes import add_plan
from ..paint.pictures import add_pictures
from ..paint.styles import theme_style
from ..panels import add_panel, panels, refresh, size_of
from ..panels.digest import showing
from ..panels.panel_metadata import LINKS
from ..state.parts import collection_of
from . import refresh as following
from .store import Dress, planned

FOG = (6.0, 45.0)
"""Metres without air to a walker, and metres in which a colour then falls to 1/e."""


class Site:
    """What building needs everywhere: recording, its shown layers and their plan, dress, camera if any, colours.

    standing: by layer, panels that are in the scene already and go on as they are.
    """

    def __init__(
        self, scene: bpy.types.Scene, recording: Recording, layers: Sequence[Layer], hall: Hall, dress: Dress,
        view: View | None = None, standing: Mapping[str, bpy.types.Object] | None = None,
    ) -> None:  # fmt: skip
        self.scene, self.recording, self.layers, self.hall = scene, recording, layers, hall
        self.dress, self.view, self.standing = dress, view, standing or {}
        self.collection = collection_of(scene)
        self.style = theme_style(dress.theme)

    @cached_property
    def linked(self) -> dict[str, set[int]]:
        """By layer: channels that the method links to those of other layers."""
        found: dict[str, set[int]] = {}
        for maps in self.recording.all_maps.values():
            for name, rows in maps.extras.items() if maps.method == self.dress.method else ():
                if name.startswith(LINKS):
                    found.setdefault(maps.layer, set()).update(rows[:, 0].astype(int).tolist())
                    found.setdefault(name.removeprefix(LINKS), set()).update(rows[:, 1].astype(int).tolist())
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
    site: Site, *, moved: Mapping[str, Matrix] | None = None, fog: tuple[float, float] = FOG, focus: str = "",
    progress: Progress | None = None,
) -> None:  # fmt: skip
    """Panels and dressing in an empty scene of ours.

    moved: by layer, how far a person moved its panel; focus: the layer that a card tells about, which has no name then.
    """
    set_scene(site, fog)
    add_panels(site, moved or {}, focus, progress)
    add_dressing(site, numbered=not focus)
    input_overlay.restore_overlay(site.scene)
    following.refresh(site.scene, site.view.span / site.view.width if site.over else 0.0)


def set_scene(site: Site, fog: tuple[float, float]) -> None:
    """Look, air and sky; a figure that is seen from outside has neither air nor horizon."""
    scene, dress = site.scene, site.dress
    air = () if site.figure else fog
    set_look(scene, ramp=dress.map, normalisation=dress.normalisation, gain=dress.gain, theme=dress.theme, fog=air)
    sky.set_sky(scene, site.style.palette, plain="floor" if site.figure else None)


def add_panels(site: Site, moved: Mapping[str, Matrix], focus: str, progress: Progress | None) -> None:
    """Every panel with its frame and name, hung on its post or where a person has put it."""
    named = labels_by_slot(site.hall, site.layers, site.view)
    slots = site.hall.panels
    for done, slot in enumerate(slots):
        layer = site.layers[slot.index]
        panel = _panel(site, slot, layer, named.get(slot.index, []) if layer.id != focus else [])
        panel[PANEL_ORDER] = slot.index
        planned(panel, place(site.hall, slot))
        panel.matrix_world @= moved.get(layer.id, Matrix.Identity(4))
        if progress:
            progress("building the hall", (done + 1) / len(slots))
    _name_blocks(site)
    refresh(site.scene)


def _name_blocks(site: Site) -> None:
    """Write on a panel which block it stands for."""
    layers, globs = site.recording.network.folded()[0], site.dress.collapse
    stands = {layers[block.last].id: block.name for block in matching_blocks(layers, globs)}
    for id, panel in panels(site.scene).items():
        panel.pop(PANEL_BLOCK, None)
        if id in stands:
            panel[PANEL_BLOCK] = stands[id]


def _panel(site: Site, slot: Slot, layer: Layer, words: list[Label]) -> bpy.types.Object:
    maps = site.recording.all_maps.get((layer.shows or layer.id, site.dress.method))
    size, note = (slot.width, slot.height), "not recorded" if site.dress.method == ACTIVATIONS else "not asked"
    if layer.id in site.standing:
        panel, note = site.standing[layer.id], ""
        size = size_of(panel)
    elif maps is None:
        panel = empty_panel(site.collection, layer)
    else:
        channels = layer.map_shape[0]
        whole = maps.channels == channels
        needed = site.linked.get(maps.layer, ())
        shown = showing(maps, slot, site.pixel(slot), digest=site.over and whole, needed=needed)
        panel = add_panel(site.collection, layer.id, layer.id, shown.maps, shown.grid, 0 if whole else channels)
        size, note = shown.size, ""
        if shown.channels:
            panel[PANEL_CHOSEN_CHANNELS] = shown.channels
    panel[PANEL_SHOWN_LAYER] = layer.shows or layer.id
    frame = plan_panel_frame(site.hall, slot, size, words, note, site.style)
    add_plan(frame, site.collection, name=f"{panel.name} frame", parent=panel)
    return panel


def empty_panel(collection: bpy.types.Collection, layer: Layer) -> bpy.types.Object:
    """What stands for a layer whose maps were not recorded."""
    panel = bpy.data.objects.new(layer.id, None)
    panel[PANEL_LAYER_ID], panel[OBJECT_ROLE] = layer.id, "empty"
    panel.empty_display_size = 0.1
    collection.objects.link(panel)
    return panel


def place(hall: Hall, slot: Slot) -> Matrix:
    """Returns where a panel hangs: its lower left corner, x along the panel, z to the viewer."""
    return Matrix(panel_plane(hall, slot).matrix().tolist())


def add_dressing(site: Site, *, numbered: bool = True) -> None:
    """Adds everything but the panels. numbered: with house numbers."""
    for plan in plan_surroundings(
        site.recording,
        site.layers,
        site.hall,
        site.view,
        _title_facts(site),
        read_colour_scale(site.scene),
        site.style,
        numbered=numbered,
    ):
        holder = add_plan(plan, site.collection)
        if plan.role == "input frame":
            holder[INPUT_NAME] = site.recording.input_name
        add_pictures(plan, holder, site.collection)


def add_title(site: Site) -> bpy.types.Object:
    """Adds the title board, with a legend of the scene's colours as they are now."""
    facts, scale, kinds = _title_facts(site), read_colour_scale(site.scene), edge_kinds(site.hall)
    weights, board = site.recording.network.weights, title_board(site.hall)
    return add_plan(plan_title(facts, weights, scale, kinds, board, site.style), site.collection)


def _title_facts(site: Site) -> TitleFacts:
    return title_facts(site.recording.network, site.dress.title, len(site.hall.panels), chosen=_chosen(site))


def _chosen(site: Site) -> bool:
    """Whether a panel shows fewer channels than were recorded."""
    there, recorded = panels(site.scene), site.recording.all_maps
    shows = {layer.id: (layer.shows or layer.id, site.dress.method) for layer in site.layers}
    pairs = ((len(panel.data.vertices), recorded.get(shows[id])) for id, panel in there.items())
    return any(maps is not None and count < maps.channels for count, maps in pairs)
