"""The scene of a figure that shows a hall as a person left it, with its own camera."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import SceneError
from ..layout.camera_presets import OWN_CAMERA
from ..properties import HALL_VERSION, INPUT_TAG, METHOD_TAG, NETWORK_NAME, SERIES_FOLDER, VIDEO_SOURCE
from ..scene.hall import store
from ..scene.materials.compat import EEVEE
from ..scene.view.camera import look_from
from ..scene.view.render import ENGINES, default_engine, set_engine
from .figure_options import FigureOptions, FigureSource, Source
from .hall_files import append_hall


def own_scene(source: FigureSource, options: FigureOptions) -> tuple[bpy.types.Scene, Source, FigureOptions]:
    """Returns a copy of a hall's scene with its own camera, or that of `options.view`, what it shows, and all options.

    Objects and settings are as a person left them, but for the options that aren't None. Raises SceneError.
    """
    if not isinstance(source, bpy.types.Scene):
        source = append_hall(_blend_file(source), options.scene)
    if source.camera is None and options.view is None:
        raise SceneError(f"scene {source.name!r} has no camera; add one, or choose another preset than {OWN_CAMERA}")
    for layer in source.view_layers:
        layer.update()  # Blender 5.2.3 crashes when it copies a view layer that was never updated
    scene = source.copy()
    _compose_copy(source, scene)
    for key in (HALL_VERSION, NETWORK_NAME, INPUT_TAG, METHOD_TAG, VIDEO_SOURCE, SERIES_FOLDER):
        scene.pop(key, None)  # so that nothing takes the copy for a hall
    if options.view is not None:
        look_from(scene, options.view)
    options = _change_render_settings(scene, options)
    return scene, Source(store.read_description(source), store.read_appearance(source)), options


def _compose_copy(source: Any, scene: Any) -> None:
    """Lets the compositor of a scene's copy work on the copy's render, where it works on the scene's."""
    if hasattr(scene, "compositing_node_group"):  # from Blender 5.0 on
        tree = scene.compositing_node_group = scene.compositing_node_group and scene.compositing_node_group.copy()
    else:
        tree = scene.node_tree
    for node in tree.nodes if tree else ():
        if node.bl_idname == "CompositorNodeRLayers" and node.scene == source:
            node.scene = scene


def _blend_file(source: Recording | Source | Path | str) -> Path:
    if isinstance(source, Recording | Source) or Path(source).suffix != ".blend":
        raise SceneError(f"preset {OWN_CAMERA}: a recording has no camera; name a .blend file with its hall")
    return Path(source)


def _change_render_settings(scene: bpy.types.Scene, options: FigureOptions) -> FigureOptions:
    """Changes the render settings that aren't None in the options; returns the options as the scene now has them."""
    names = {name: key for key, name in ENGINES.items()}
    settings, render = scene.render.image_settings, scene.render
    if options.size is not None:
        render.resolution_x, render.resolution_y, render.resolution_percentage = *options.size, 100
    if options.engine is not None or render.engine in (ENGINES["cycles"], ENGINES["innerwalk"]):
        set_engine(scene, options.engine or default_engine())
    if options.samples is not None:
        scene.cycles.samples = scene.eevee.taa_render_samples = options.samples
    if options.transparent is not None:
        render.film_transparent = options.transparent
    if hasattr(settings, "media_type"):  # Blender 5: a film's settings know no format of pictures
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_depth = "PNG", "8"
    settings.color_mode = "RGBA" if render.film_transparent else "RGB"
    width, height = (side * render.resolution_percentage // 100 for side in (render.resolution_x, render.resolution_y))
    samples = scene.eevee.taa_render_samples if render.engine == EEVEE else scene.cycles.samples
    engine = names.get(render.engine, render.engine)
    return replace(options, size=(width, height), samples=samples, engine=engine, transparent=render.film_transparent)
