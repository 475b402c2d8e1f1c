"""Builds a hall from a laid-out recording: panels, surroundings and sky in a scene of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording import ACTIVATIONS, LINK_PREFIX, Layer, Progress, Recording
from ....torch_bridge.recording.errors import SceneError
from ... import layout
from ...layout import HallLayout, Slot
from ...layout.blocks import board_links, matching_blocks, shown_graph
from ...layout.boards import title_board
from ...layout.text_fitting import Label
from ...layout.view import View
from ...plans.annotations import POSITION_SIZE
from ...plans.chart_boards import shown_charts
from ...plans.panel_frames import labels_by_slot, panel_plane, plan_panel_frame
from ...plans.primitives import Style
from ...plans.shown_endpoints import shown_inputs, shown_layers
from ...plans.surroundings import edge_kinds, plan_surroundings
from ...plans.title_board import TitleFacts, plan_title, title_facts
from ...properties import (
    INPUT_NAME,
    OBJECT_ROLE,
    PANEL_BLOCK,
    PANEL_LAYER_ID,
    PANEL_ORDER,
    PANEL_SHOWN_LAYER,
    PLACE_TEXT_SIZE,
)
from ..dressing import input_overlay, sky
from ..dressing.scene_scale import read_colour_scale
from ..materials.colour_settings import set_scene_colours
from ..paint.meshes import add_plan
from ..paint.pictures import add_pictures
from ..paint.styles import theme_style
from ..panels import add_panel, channel_count, panels, size_of, update_network_peak
from ..panels.panel_display import choose_maps
from ..panels.panel_metadata import read_metadata, set_attribute
from ..state.parts import hall_collection
from . import map_updates
from .store import Appearance, set_planned_place

FOG = (6.0, 45.0)
"""Metres without fog in a walk, and metres over which a colour then falls to 1/e."""


@dataclass
class BuildContext:
    """What the functions that build a hall share."""

    scene: bpy.types.Scene
    recording: Recording
    layers: Sequence[Layer]
    """The layers of the collapsed graph; a slot's index counts in them."""
    hall: HallLayout
    appearance: Appearance
    view: View | None = None
    """The camera of a figure; None for a hall to walk."""
    existing: Mapping[str, bpy.types.Object] = field(default_factory=dict)
    """Panels by layer id that are reused as they are."""
    collection: bpy.types.Collection = field(init=False)
    style: Style = field(init=False)

    def __post_init__(self) -> None:
        self.collection = hall_collection(self.scene)
        self.style = theme_style(self.appearance.theme)

    @cached_property
    def linked_channels(self) -> dict[str, set[int]]:
        """Channels with links to channels of other layers, by layer id."""
        channels: dict[str, set[int]] = {}
        for maps in self.recording.all_maps.values():
            for name, rows in maps.extras.items() if maps.method == self.appearance.method else ():
                if name.startswith(LINK_PREFIX):
                    channels.setdefault(maps.layer, set()).update(rows[:, 0].astype(int).tolist())
                    channels.setdefault(name.removeprefix(LINK_PREFIX), set()).update(rows[:, 1].astype(int).tolist())
        return channels

    @property
    def position_texts(self) -> dict[int, str]:
        """What stands below panels of one frame or window of the input, by the layer's index."""
        method, recorded = self.appearance.method, self.recording.all_maps
        found = {k: recorded.get((layer.shows or layer.id, method)) for k, layer in enumerate(self.layers)}
        return {k: maps.place for k, maps in found.items() if maps is not None and maps.place}

    @property
    def is_figure(self) -> bool:
        """Whether all panels are parallel, as in an overview figure that shows the hall from outside."""
        return self.hall.parallel_yaw is not None

    @property
    def is_orthographic(self) -> bool:
        """Whether the camera is orthographic and shows the whole hall."""
        return self.view is not None and self.view.span is not None

    def pixel_size(self, slot: Slot) -> float | None:
        """Returns metres a pixel at a panel's nearest corner; None without a camera or if that corner is beside it."""
        if self.view is None:
            return None
        feet = slot.corners(self.hall.yaw(slot))
        corners = np.array([(*foot, z) for foot in feet for z in (slot.bottom, slot.top)])
        nearest = corners[np.argmin(self.view.project(corners)[:, 2])]
        return self.view.pixel(nearest) if self.is_orthographic or self.view.project(nearest)[2] > 0.3 else None


def lay_out_hall(
    scene: bpy.types.Scene,
    recording: Recording,
    appearance: Appearance,
    existing: Mapping[str, bpy.types.Object] | None = None,
) -> BuildContext:
    """Lays out a hall to walk and returns what building it needs. Raises SceneError or UnknownName."""
    layers, links = shown_graph(recording.network, appearance.collapse)
    ends = board_links(recording.network, (layers, links), shown_layers(recording))
    ends = ends._replace(charts=len(shown_charts(recording, appearance.method)))
    if not layers:
        raise SceneError(
            f"network {recording.network.name!r} has no layer to show; record one with a convolution or linear layer"
        )
    hall = layout.lay_out(layers, links, board_links=ends)
    return BuildContext(scene, recording, layers, hall, appearance, existing=existing or {})


def add_hall(
    context: BuildContext,
    *,
    moves: Mapping[str, Matrix] | None = None,
    fog: tuple[float, float] = FOG,
    focus: str = "",
    progress: Progress | None = None,
) -> None:
    """Adds panels, surroundings and annotations to a scene without a hall.

    moves: transforms by which a person has moved panels, by layer id. focus: id of the layer that a figure's card
    describes; its panel gets no label, and layer numbers are left out.
    """
    set_environment(context, fog)
    add_panels(context, moves or {}, focus, progress)
    add_surroundings(context, numbered=not focus)
    input_overlay.restore_overlay(context.scene)
    pixel = context.view.span / context.view.width if context.view and context.view.span else 0.0
    map_updates.update_after_maps(context.scene, pixel, method=context.appearance.method)


def set_environment(context: BuildContext, fog: tuple[float, float]) -> None:
    """Sets the scene's colours, fog and sky; a figure from outside has no fog and no horizon."""
    scene, appearance = context.scene, context.appearance
    set_scene_colours(
        scene,
        colour_map=appearance.colour_map,
        normalisation=appearance.normalisation,
        gain=appearance.gain,
        theme=appearance.theme,
        fog=() if context.is_figure else fog,
    )
    sky.set_sky(scene, context.style.palette, plain_role="floor" if context.is_figure else None)


def add_panels(context: BuildContext, moves: Mapping[str, Matrix], focus: str, progress: Progress | None) -> None:
    """Adds every panel with its frame and label, at its planned place or where a person has moved it."""
    labels = labels_by_slot(context.hall, context.layers, context.view, context.position_texts)
    sizes = [label.size for own_labels in labels.values() for label in own_labels]
    text_size = max(sizes, default=0.0) if context.is_orthographic else POSITION_SIZE
    slots = context.hall.panels
    for count, slot in enumerate(slots, 1):
        layer = context.layers[slot.index]
        own_labels = labels.get(slot.index, []) if layer.id != focus else []
        panel = _add_panel(context, slot, layer, own_labels, text_size)
        _number(panel, slot.index)
        set_planned_place(panel, panel_matrix(context.hall, slot))
        panel.matrix_world @= moves.get(layer.id, Matrix.Identity(4))
        if progress:
            progress("building the hall", count / len(slots))
    _write_block_names(context)
    update_network_peak(context.scene)


def _number(panel: bpy.types.Object, order: int) -> None:
    """Writes a layer's place in the network's order on its panel, and on the points if there are any."""
    if panel.data and panel.get(PANEL_ORDER) != order:
        set_attribute(panel.data, "layer", np.full(len(panel.data.vertices), order, np.int32))
    panel[PANEL_ORDER] = order


def _write_block_names(context: BuildContext) -> None:
    """Writes on each panel of a collapsed block which block it represents."""
    layers, globs = context.recording.network.folded()[0], context.appearance.collapse
    names = {layers[block.last].id: block.name for block in matching_blocks(layers, globs)}
    for id, panel in panels(context.scene).items():
        panel.pop(PANEL_BLOCK, None)
        if id in names:
            panel[PANEL_BLOCK] = names[id]


def _add_panel(
    context: BuildContext, slot: Slot, layer: Layer, labels: list[Label], text_size: float
) -> bpy.types.Object:
    """Adds a layer's panel, or an empty one without maps, with its frame.

    text_size: of the text below the tiles, in metres; 0 where it would be too small to read.
    """
    maps = context.recording.all_maps.get((layer.shows or layer.id, context.appearance.method))
    missing = "not recorded" if context.appearance.method == ACTIVATIONS else "not computed"
    size, note = (slot.width, slot.height), missing
    if layer.id in context.existing:
        panel, note = context.existing[layer.id], ""
        size = size_of(panel)
    elif maps is None:
        panel = add_empty_panel(context.collection, layer)
    else:
        grid, channels = (slot.columns, slot.rows, slot.cell), layer.map_shape[0]
        needed = context.linked_channels.get(maps.layer, ())
        reduce = context.is_orthographic and maps.channels == channels
        shown = choose_maps(maps, slot, context.pixel_size(slot), channels, reduce=reduce, needed=needed)
        panel, note = add_panel(context.collection, layer.id, layer.id, shown, grid, channels), ""
        size = size_of(panel)
    panel[PANEL_SHOWN_LAYER] = layer.shows or layer.id
    plan = plan_panel_frame(context.hall, slot, size, labels, note, context.style)
    frame = add_plan(plan, context.collection, name=f"{panel.name} frame", parent=panel)
    frame[PLACE_TEXT_SIZE] = text_size
    return panel


def add_empty_panel(collection: bpy.types.Collection, layer: Layer) -> bpy.types.Object:
    """Adds an object without tiles for a layer whose maps were not recorded."""
    panel = bpy.data.objects.new(layer.id, None)
    panel[PANEL_LAYER_ID], panel[OBJECT_ROLE] = layer.id, "empty"
    panel.empty_display_size = 0.1
    collection.objects.link(panel)
    return panel


def panel_matrix(hall: HallLayout, slot: Slot) -> Matrix:
    """Returns a panel's world matrix: origin at its lower left corner, x along the panel, z to the viewer."""
    return Matrix(panel_plane(hall, slot).matrix().tolist())


def add_surroundings(context: BuildContext, *, numbered: bool = True) -> None:
    """Adds floor, edges, boards and pictures. numbered: add layer numbers too."""
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
            holder[INPUT_NAME] = shown_inputs(context.recording)[plan.number].source
        add_pictures(plan, holder, context.collection)


def add_title(context: BuildContext) -> bpy.types.Object:
    """Adds the title board with a legend of the scene's current colours."""
    facts, scale, kinds = _title_facts(context), read_colour_scale(context.scene), edge_kinds(context.hall)
    weights, board = context.recording.network.weights, title_board(context.hall)
    return add_plan(plan_title(facts, weights, scale, kinds, board, context.style), context.collection)


def _title_facts(context: BuildContext) -> TitleFacts:
    return title_facts(
        context.recording.network,
        context.appearance.title,
        len(context.hall.panels),
        has_reduced_panels=_has_reduced_panels(context),
        method=context.appearance.method,
        maps_notes=[_maps_note(panel) for panel in panels(context.scene).values()],
    )


def _maps_note(panel: bpy.types.Object) -> str:
    """Returns the label of a panel's only map, such as its class, and the note of its maps; "" for neither."""
    metadata = read_metadata(panel)
    return "; ".join(filter(None, (*(metadata.labels if len(metadata.labels) == 1 else ()), metadata.note)))


def _has_reduced_panels(context: BuildContext) -> bool:
    """Returns whether a panel shows fewer channels than were recorded."""
    recorded = context.recording.all_maps
    keys = {layer.id: (layer.shows or layer.id, context.appearance.method) for layer in context.layers}
    pairs = ((channel_count(panel), recorded.get(keys[id])) for id, panel in panels(context.scene).items())
    return any(maps is not None and count < maps.channels for count, maps in pairs)
