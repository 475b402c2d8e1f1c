"""The scene of a figure with a preset camera: a hall that is built for it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import bpy
import numpy as np

from ...torch_bridge.recording import Layer, Progress
from ...torch_bridge.recording.errors import SceneError, UnknownName
from .. import layout
from ..imaging import statistics
from ..imaging.tile_grids import TileGrid, maps_grid
from ..layout import HallLayout, Slot, camera_presets
from ..layout.blocks import board_links, shown_graph
from ..layout.view import View
from ..plans import layer_card
from ..plans.chart_boards import shown_charts
from ..plans.layer_card import card_plane, plan_layer_card
from ..plans.shown_endpoints import shown_layers
from ..scene.dressing.scene_scale import read_colour_scale
from ..scene.hall import assembly
from ..scene.materials.object_colours import update_object_colours
from ..scene.paint.meshes import add_plan
from ..scene.view import camera, render
from .figure_options import SAMPLES, SIZE, FigureOptions, FigureSource, Source, open_source, with_options

AFTER_POST = 0.75
"""Metres between a post and a camera past it, so that the next panel on each side is fully visible."""
BEFORE_PANEL = 2.0
"""Metres between the camera and a panel it faces."""
FOCUS_AIR = 2.5
"""Metres in which colours behind the shown layer fade to 1/e."""


def preset_scene(
    source: FigureSource, options: FigureOptions, progress: Progress | None
) -> tuple[bpy.types.Scene, Source, FigureOptions]:
    """Builds the scene of a preset; returns it with what it shows and all options filled in."""
    shown = open_source(source, options.scene)
    shown = replace(shown, appearance=with_options(shown.appearance, options))
    shown.recording.check_method(shown.appearance.method)
    options = replace(
        options,
        size=options.size or SIZE,
        samples=options.samples or SAMPLES,
        transparent=bool(options.transparent),
    )
    with ThreadPoolExecutor(1) as beside:  # another process tests the default engine meanwhile
        engine = None if options.engine else beside.submit(render.default_engine)
        scene = build_scene(shown, options, progress)
        options = replace(options, engine=engine.result() if engine else options.engine)
    render.set_render_settings(scene, *options.size, options.samples, options.engine, options.transparent)
    return scene, shown, options


def build_scene(source: Source, options: FigureOptions, progress: Progress | None) -> bpy.types.Scene:
    """Builds a new scene with the hall and the camera of this figure."""
    network, is_overview = source.recording.network, options.preset == "overview"
    is_layer_preset = options.preset == "layer"
    layers, links = shown_graph(network, source.appearance.collapse, for_overview=is_overview)
    if not layers:
        raise SceneError(f"network {network.name!r} has no layer to show")
    ends = board_links(network, (layers, links), shown_layers(source.recording))
    ends = ends._replace(charts=len(shown_charts(source.recording, source.appearance.method)))
    if is_overview:
        hall = layout.lay_out_figure(layers, links, *options.size, board_links=ends)
    else:
        hall = layout.lay_out(layers, links, board_links=ends)
    focus = focused_slot(source, layers, hall, options)
    view = camera_view(hall, _with_shown_tiles(source, layers, focus), options)
    scene = bpy.data.scenes.new(network.name)
    context = assembly.BuildContext(scene, source.recording, layers, hall, source.appearance, view)
    fog = (_fog_start(hall, focus, view), FOCUS_AIR) if is_layer_preset else assembly.FOG
    named = layers[focus.index].id if is_layer_preset else ""
    assembly.add_hall(context, moves=source.moved, fog=fog, focus=named, progress=progress)
    if is_layer_preset:
        _add_card(context, focus)
    camera.set_camera(scene, view, context.collection)
    return scene


def focused_slot(source: Source, layers: Sequence[Layer], hall: HallLayout, options: FigureOptions) -> Slot:
    """Returns the slot of the requested layer, or of the first panel that has maps. Raises UnknownName."""
    if options.layer is None:
        keys = [(layers[slot.index].shows or layers[slot.index].id, source.appearance.method) for slot in hall.panels]
        recorded = (slot for slot, key in zip(hall.panels, keys, strict=True) if key in source.recording.all_maps)
        return next(recorded, hall.panels[0])
    slots = {layers[slot.index].id: slot for slot in hall.panels}
    if options.layer not in slots:
        raise UnknownName("panel of layer", options.layer, slots)
    return slots[options.layer]


def _with_shown_tiles(source: Source, layers: Sequence[Layer], slot: Slot) -> Slot:
    """Returns the slot with the size of the tiles that the panel shows, which are larger for fewer maps."""
    layer = layers[slot.index]
    maps = source.recording.all_maps.get((layer.shows or layer.id, source.appearance.method))
    planned = TileGrid(slot.columns, slot.rows, slot.cell)
    return slot if maps is None else replace(slot, cell=maps_grid(maps, planned, layer.map_shape[0]).cell)


def camera_view(hall: HallLayout, focus: Slot, options: FigureOptions) -> View:
    """Returns the camera of the preset."""
    match options.preset:
        case "overview":
            return camera_presets.overview(hall, *options.size)
        case "walk":
            return camera_presets.walk(
                hall, focus.y - BEFORE_PANEL if options.layer else walk_position(hall), *options.size
            )
        case "entrance":
            return camera_presets.entrance(hall, *options.size)
        case "layer":
            return camera_presets.layer(hall, focus, *options.size)
    return camera_presets.tile(hall, focus, *options.size)


def walk_position(hall: HallLayout) -> float:
    """Returns the y of the camera for the preset walk, metres: PAST the post with the widest gap after it.

    Only the first half of the hall counts. Where no gap is wide enough, the camera stands BEFORE the first post.
    """
    posts = np.array(sorted(slot.y for slot in hall.panels))
    ahead = np.diff(posts)[: max(1, len(posts) // 2)]
    if ahead.max(initial=0.0) < BEFORE_PANEL:
        return float(posts[0]) - BEFORE_PANEL
    return float(posts[int(np.argmax(ahead))]) + AFTER_POST


def _fog_start(hall: HallLayout, slot: Slot, view: View) -> float:
    """Returns the metres from the camera to the farthest corner of the panel and its card; fog starts there."""
    card = card_plane(hall, slot)
    feet = slot.corners(hall.yaw(slot))
    corners = [np.append(foot, z) for foot in feet for z in (slot.bottom, slot.top)]
    corners += [card.moved(x, y).origin for x in (0.0, layer_card.WIDTH) for y in (0.0, -layer_card.HEIGHT)]
    return float(np.linalg.norm(np.array(corners) - view.position, axis=1).max()) + 0.1


def _add_card(context: assembly.BuildContext, slot: Slot) -> None:
    """Adds the card of the panel at a slot. Raises UnknownName when its maps were not recorded."""
    layer = context.layers[slot.index]
    maps = context.recording.maps(layer.shows or layer.id, context.appearance.method)
    scale = read_colour_scale(context.scene, float(maps.peak.max(initial=0.0)), bars=maps.shape[1:] == (1, 1))
    found, corner = statistics.layer_statistics(maps), card_plane(context.hall, slot)
    plan = plan_layer_card(layer, found, scale, corner, context.style, maps)
    update_object_colours(context.scene, [add_plan(plan, context.collection)])
