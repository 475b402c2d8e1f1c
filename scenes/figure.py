"""`innerwalk figure`: renders a recording or a saved hall to a PNG file that carries its provenance."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ..blender_addon import layout
from ..blender_addon.imaging import statistics
from ..blender_addon.layout import HallLayout, Slot, camera_presets
from ..blender_addon.layout.blocks import shown_graph
from ..blender_addon.layout.camera_presets import PRESETS
from ..blender_addon.layout.view import View
from ..blender_addon.plans import layer_card
from ..blender_addon.plans.layer_card import card_plane, plan_layer_card
from ..blender_addon.scene.dressing.scene_scale import read_colour_scale
from ..blender_addon.scene.hall import assembly, store
from ..blender_addon.scene.hall.store import Appearance
from ..blender_addon.scene.paint.meshes import add_plan
from ..blender_addon.scene.state.data_blocks import temporary_data
from ..blender_addon.scene.view import camera, eevee_probe, render
from ..torch_bridge.recording import Layer, Recording, load
from ..torch_bridge.recording.errors import SceneError, UnknownName
from .output_files import replaced
from .png_text import with_texts
from .tables import check_method

SAMPLES = 24
MOST_SAMPLES = 1 << 20
AFTER_POST = 0.75
"""Metres between a post and a camera past it, so that the next panel on each side is fully visible."""
BEFORE_PANEL = 2.0
"""Metres between the camera and a panel it faces."""
FOCUS_AIR = 2.5
"""Metres in which colours behind the shown layer fade to 1/e."""


@dataclass(frozen=True)
class FigureOptions:
    """What a figure shows and how; fields that are None are taken from the preset or the saved hall."""

    preset: str = "overview"
    size: tuple[int, int] = (1920, 1080)
    samples: int = SAMPLES
    engine: str = "cycles"
    transparent: bool = False
    layer: str | None = None
    """Id of the layer that the presets layer, tile and walk show."""
    theme: str | None = None
    ramp: str | None = None
    normalisation: str | None = None
    gain: float | None = None
    title: str | None = None
    collapse: tuple[str, ...] | None = None
    """Globs of blocks to show as one panel each."""
    method: str | None = None
    """Method whose maps the panels show."""
    scene: str | None = None
    """Scene name of the hall, for a file with several; by default the first."""


@dataclass(frozen=True)
class Source:
    """A recording with its appearance and the panels that a user moved."""

    recording: Recording
    appearance: Appearance
    moved: Mapping[str, Matrix] = field(default_factory=dict)


def render_figure(
    source: Recording | bpy.types.Scene | Path | str,
    out: Path | str,
    options: FigureOptions | None = None,
    *,
    progress: render.Progress | None = None,
) -> Path:
    """Renders a recording, a hall, a recording's folder or a .blend file to a PNG file that carries its provenance.

    The same input gives the same bytes. Scenes of the open file stay as they are. Raises SceneError, RecordingError or
    UnknownName; then nothing is written.
    """
    out, options = Path(out), options or FigureOptions()
    check(options)
    with replaced(out, ".png") as part, temporary_data():
        shown = open_source(source, options.scene)
        appearance = with_options(shown.appearance, options)
        check_method(shown.recording, appearance.method)
        scene = build_scene(Source(shown.recording, appearance, shown.moved), options, progress)
        render.set_render_settings(scene, *options.size, options.samples, options.engine, options.transparent)
        render.render_png(scene, part, progress)
        part.write_bytes(with_texts(part.read_bytes(), provenance(shown.recording, appearance, options)))
    return out


def check(options: FigureOptions) -> None:
    """Raises UnknownName or SceneError for options that can't be rendered; called before any work is done."""
    if options.preset not in PRESETS:
        raise UnknownName("preset", options.preset, PRESETS)
    if options.engine not in render.ENGINES:
        raise UnknownName("engine", options.engine, render.ENGINES)
    if not all(1 <= side <= 65536 for side in options.size) or not 1 <= options.samples <= MOST_SAMPLES:
        raise SceneError(
            f"a picture of {options.size[0]} × {options.size[1]} pixels with {options.samples} samples can't be made"
        )
    if options.engine == "eevee" and not eevee_probe.eevee_works():
        raise SceneError("EEVEE can't run on this machine (no OpenGL through EGL); --engine cycles can")


def open_source(source: Recording | bpy.types.Scene | Path | str, name: str | None = None) -> Source:
    """Opens a recording, its folder, a hall of this session, or a hall of a .blend file, by scene name or the first."""
    if isinstance(source, Recording):
        return Source(source, Appearance())
    if not isinstance(source, bpy.types.Scene):
        path = Path(source)
        if path.suffix != ".blend":
            return Source(load(path), Appearance())
        source = append_hall(path, name)
    return Source(store.read_recording(source), store.read_appearance(source), store.manual_moves(source))


def append_hall(path: Path, name: str | None = None) -> bpy.types.Scene:
    """Appends a hall of a .blend file, by scene name or the first, without running scripts of the file.

    Raises SceneError, or UnknownName when `name` is not a hall of the file.
    """
    if not path.is_file():
        raise SceneError(f"{path}: no such file")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name  # Blender refuses to append from the file that is open
        shutil.copyfile(path, copy)
        try:
            with bpy.data.libraries.load(str(copy)) as (available, wanted):  # type: ignore[func-returns-value]
                names, wanted.scenes = list(available.scenes), available.scenes
        except (OSError, RuntimeError):
            raise SceneError(f"{path}: not a Blender file, or a damaged one") from None
    pairs = zip(names, wanted.scenes, strict=True)  # an appended scene may have been renamed
    halls = {original: scene for original, scene in pairs if scene is not None and store.is_hall(scene)}
    if not halls:
        hint = f"`innerwalk scene RECORDING -o {path.name}` makes one"
        raise SceneError(f"{path}: this file holds no hall; {hint}")
    if name is not None and name not in halls:
        raise UnknownName("hall", name, halls)
    return halls[name or next(iter(halls))]


APPEARANCE = ("ramp", "normalisation", "gain", "title", "collapse", "method")
"""Options that replace a field of the same name of the appearance."""


def with_options(appearance: Appearance, options: FigureOptions) -> Appearance:
    """Returns the appearance with the options applied; a different theme brings its own colour map."""
    if options.theme is not None and options.theme != appearance.theme:
        appearance = replace(appearance, theme=options.theme, ramp=None)
    changes = {name: getattr(options, name) for name in APPEARANCE}
    return replace(appearance, **{name: value for name, value in changes.items() if value is not None})


def build_scene(source: Source, options: FigureOptions, progress: render.Progress | None) -> bpy.types.Scene:
    """Builds a new scene with the hall and the camera of this figure."""
    network, is_overview = source.recording.network, options.preset == "overview"
    is_layer_preset = options.preset == "layer"
    layers, links = shown_graph(network, source.appearance.collapse, for_overview=is_overview)
    if not layers:
        raise SceneError(f"network {network.name!r} has no layer to show")
    hall = layout.lay_out_figure(layers, links, *options.size) if is_overview else layout.lay_out(layers, links)
    focus = focused_slot(source, layers, hall, options)
    view = camera_view(hall, focus, options)
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
    plan = plan_layer_card(
        layer, statistics.layer_statistics(maps), scale, card_plane(context.hall, slot), context.style
    )
    add_plan(plan, context.collection)


def provenance(recording: Recording, appearance: Appearance, options: FigureOptions) -> dict[str, str]:
    """Returns the PNG texts of a figure by keyword: what it shows and what made it, without times or host names."""
    network = recording.network
    facts = {
        "network": network.name,
        "weights": network.weights or ("unknown" if network.trained else "random"),
        "input": recording.input_name,
        "preset": options.preset,
        "layer": options.layer,
        "size": list(options.size),
        "samples": options.samples,
        "engine": options.engine,
        "theme": appearance.theme,
        "map": appearance.colour_map,
        "normalisation": appearance.normalisation,
        "gain": appearance.gain,
        "method": appearance.method,
        "collapse": list(appearance.collapse),
        "blender": bpy.app.version_string,
        "numpy": np.__version__,
        "recording": recording.provenance,
    }
    return {
        "Title": appearance.title or network.name,
        "Software": "innerwalk",
        "innerwalk": json.dumps(facts, ensure_ascii=False, sort_keys=True),
    }
