"""The recipe of `innerwalk figure`: a recording or a saved hall becomes a picture that says where it comes from."""

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
from ..blender_addon.layout import Hall, Slot, camera_presets
from ..blender_addon.layout.blocks import shown
from ..blender_addon.layout.camera_presets import PRESETS
from ..blender_addon.layout.view import View
from ..blender_addon.scene.dressing import layer_card, legend
from ..blender_addon.scene.hall import assembly, store
from ..blender_addon.scene.hall.store import Dress
from ..blender_addon.scene.paint.meshes import Plane, wall
from ..blender_addon.scene.state.scratch import scratch
from ..blender_addon.scene.view import camera, eevee_probe, render
from ..torch_bridge.recording import Layer, Recording, load
from ..torch_bridge.recording.errors import SceneError, UnknownName
from .output_files import replaced
from .png_text import with_words
from .tables import check_method

SAMPLES = 24
MOST_SAMPLES = 1 << 20
PAST = 0.75
"""Metres that a walker stands past a post, so that the next panel on each side is whole."""
BEFORE = 2.0
"""Metres that a walker stands before a panel to look at it."""
FOCUS_AIR = 2.5
"""Metres in which everything behind the layer that is looked at falls to 1/e."""


@dataclass(frozen=True)
class Order:
    """What a figure shall show and how; what is None is decided by the preset or the saved hall."""

    preset: str = "overview"
    size: tuple[int, int] = (1920, 1080)
    samples: int = SAMPLES
    engine: str = "cycles"
    transparent: bool = False
    layer: str | None = None
    """The layer that the presets layer and tile show, and that walk stands before."""
    theme: str | None = None
    ramp: str | None = None
    normalisation: str | None = None
    gain: float | None = None
    title: str | None = None
    collapse: tuple[str, ...] | None = None
    """Globs of blocks that stand as one panel each."""
    method: str | None = None
    """Whose maps the panels show."""
    scene: str | None = None
    """Name of the hall's scene, for a file with several; else the first."""


@dataclass(frozen=True)
class Source:
    """A recording with how it is dressed and what a person moved."""

    recording: Recording
    dress: Dress
    moved: Mapping[str, Matrix] = field(default_factory=dict)


def render_figure(
    source: Recording | bpy.types.Scene | Path | str,
    out: Path | str,
    order: Order | None = None,
    *,
    progress: render.Progress | None = None,
) -> Path:
    """Render a recording, a hall, a recording's folder or a .blend file to a PNG file that carries its provenance.

    The same input gives the same bytes. This file's own scenes are not touched. Raises SceneError, RecordingError or
    UnknownName; then nothing is written.
    """
    out, order = Path(out), order or Order()
    check(order)
    with replaced(out, ".png") as part, scratch():
        given = opened(source, order.scene)
        dress = dressed(given.dress, order)
        check_method(given.recording, dress.method)
        scene = staged(Source(given.recording, dress, given.moved), order, progress)
        render.prepare(scene, *order.size, order.samples, order.engine, order.transparent)
        render.render_png(scene, part, progress)
        part.write_bytes(with_words(part.read_bytes(), provenance(given.recording, dress, order)))
    return out


def check(order: Order) -> None:
    """Raise one line for what can't be rendered, before any work is done."""
    if order.preset not in PRESETS:
        raise UnknownName("preset", order.preset, PRESETS)
    if order.engine not in render.ENGINES:
        raise UnknownName("engine", order.engine, render.ENGINES)
    if not all(1 <= side <= 65536 for side in order.size) or not 1 <= order.samples <= MOST_SAMPLES:
        raise SceneError(
            f"a picture of {order.size[0]} × {order.size[1]} pixels with {order.samples} samples can't be made"
        )
    if order.engine == "eevee" and not eevee_probe.eevee_works():
        raise SceneError("EEVEE can't run on this machine (no OpenGL through EGL); --engine cycles can")


def opened(source: Recording | bpy.types.Scene | Path | str, name: str | None = None) -> Source:
    """A recording in memory or in its folder, a hall of this session, or a hall of a .blend file, by name."""
    if isinstance(source, Recording):
        return Source(source, Dress())
    if not isinstance(source, bpy.types.Scene):
        path = Path(source)
        if path.suffix != ".blend":
            return Source(load(path), Dress())
        source = appended(path, name)
    return Source(store.kept(source), store.dress_of(source), store.moved(source))


def appended(path: Path, name: str | None = None) -> bpy.types.Scene:
    """A hall of a .blend file, by name or the first, brought into this session; no script of the file runs.

    Raises SceneError, or UnknownName for a scene that isn't one of the file's halls.
    """
    if not path.is_file():
        raise SceneError(f"{path}: no such file")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name  # Blender refuses to read from the file that is open
        shutil.copyfile(path, copy)
        try:
            with bpy.data.libraries.load(str(copy)) as (there, wanted):  # type: ignore[func-returns-value]
                names, wanted.scenes = list(there.scenes), there.scenes
        except (OSError, RuntimeError):
            raise SceneError(f"{path}: not a Blender file, or a damaged one") from None
    found = zip(names, wanted.scenes, strict=True)  # here, a scene may have got another name
    halls = {told: scene for told, scene in found if scene is not None and store.is_hall(scene)}
    if not halls:
        hint = f"`innerwalk scene RECORDING -o {path.name}` makes one"
        raise SceneError(f"{path}: no hall of innerwalk in this file; {hint}")
    if name is not None and name not in halls:
        raise UnknownName("hall", name, halls)
    return halls[name or next(iter(halls))]


def dressed(dress: Dress, order: Order) -> Dress:
    """The dress with what the order changes; another theme brings its own colour map."""
    if order.theme is not None and order.theme != dress.theme:
        dress = replace(dress, theme=order.theme, ramp=None)
    said = {name: getattr(order, name) for name in ("ramp", "normalisation", "gain", "title", "collapse", "method")}
    return replace(dress, **{name: value for name, value in said.items() if value is not None})


def staged(source: Source, order: Order, progress: render.Progress | None) -> bpy.types.Scene:
    """A new scene with the hall and the camera of this figure."""
    network, over, close = source.recording.network, order.preset == "overview", order.preset == "layer"
    layers, links = shown(network, source.dress.collapse, over=over)
    if not layers:
        raise SceneError(f"network {network.name!r} has no layer to show")
    plan = layout.plan_figure(layers, links, *order.size) if over else layout.plan(layers, links)
    focus = focused(source, layers, plan, order)
    view = viewed(plan, focus, order)
    scene = bpy.data.scenes.new(network.name)
    site = assembly.Site(scene, source.recording, layers, plan, source.dress, view)
    fog = (_clear(plan, focus, view), FOCUS_AIR) if close else assembly.FOG
    named = layers[focus.index].id if close else ""
    assembly.add_hall(site, moved=source.moved, fog=fog, focus=named, progress=progress)
    if close:
        _card(site, focus)
    camera.set_camera(scene, view, site.collection)
    return scene


def focused(source: Source, layers: Sequence[Layer], plan: Hall, order: Order) -> Slot:
    """The slot of the ordered layer, else of the first panel that has maps. Raises UnknownName."""
    if order.layer is None:
        shown = [(layers[slot.index].shows or layers[slot.index].id, source.dress.method) for slot in plan.panels]
        there = (slot for slot, key in zip(plan.panels, shown, strict=True) if key in source.recording.all_maps)
        return next(there, plan.panels[0])
    slots = {layers[slot.index].id: slot for slot in plan.panels}
    if order.layer not in slots:
        raise UnknownName("panel of layer", order.layer, slots)
    return slots[order.layer]


def viewed(plan: Hall, focus: Slot, order: Order) -> View:
    """The camera of a preset."""
    match order.preset:
        case "overview":
            return camera_presets.overview(plan, *order.size)
        case "walk":
            return camera_presets.walk(plan, focus.y - BEFORE if order.layer else standing(plan), *order.size)
        case "entrance":
            return camera_presets.entrance(plan, *order.size)
        case "layer":
            return camera_presets.layer(plan, focus, *order.size)
    return camera_presets.tile(plan, focus, *order.size)


def standing(plan: Hall) -> float:
    """y of a walker PAST a post of the first half of the hall, where the next post is farthest ahead.

    In a hall where it is nowhere far enough to be looked at, BEFORE all posts.
    """
    posts = np.array(sorted(slot.y for slot in plan.panels))
    ahead = np.diff(posts)[: max(1, len(posts) // 2)]
    if ahead.max(initial=0.0) < BEFORE:
        return float(posts[0]) - BEFORE
    return float(posts[int(np.argmax(ahead))]) + PAST


def _card_place(plan: Hall, slot: Slot) -> Plane:
    """Upper left corner of the card: beside the panel, towards the aisle."""
    yaw = plan.yaw(slot)
    left, right = slot.corners(yaw)
    at = wall(np.append(left if slot.side > 0 else right, slot.bottom + slot.height / 2), yaw)
    beside = -layer_card.WIDTH - camera_presets.ASIDE if slot.side > 0 else camera_presets.ASIDE
    return at.moved(beside, min(slot.height / 2, layer_card.HEIGHT / 2))


def _clear(plan: Hall, slot: Slot, view: View) -> float:
    """Metres from the camera to the farthest corner of a panel and its card: so far there is no air."""
    card = _card_place(plan, slot)
    feet = slot.corners(plan.yaw(slot))
    corners = [np.append(foot, z) for foot in feet for z in (slot.bottom, slot.top)]
    corners += [card.moved(x, y).at for x in (0.0, layer_card.WIDTH) for y in (0.0, -layer_card.HEIGHT)]
    return float(np.linalg.norm(np.array(corners) - view.at, axis=1).max()) + 0.1


def _card(site: assembly.Site, slot: Slot) -> None:
    """The card of the panel at a slot. Raises UnknownName where its maps were not recorded."""
    layer = site.layers[slot.index]
    maps = site.recording.maps(layer.shows or layer.id, site.dress.method)
    scale = legend.scale(site.scene, float(maps.peak.max(initial=0.0)), bars=maps.shape[1:] == (1, 1))
    layer_card.add_card(layer, statistics.of_layer(maps), scale, _card_place(site.hall, slot), site.kit)


def provenance(recording: Recording, dress: Dress, order: Order) -> dict[str, str]:
    """Keywords and texts of a figure: what it shows and what made it; no times, so that equal figures are equal."""
    network = recording.network
    told = {
        "network": network.name, "weights": network.weights or ("unknown" if network.trained else "random"),
        "input": recording.input_name, "preset": order.preset, "layer": order.layer, "size": list(order.size),
        "samples": order.samples, "engine": order.engine, "theme": dress.theme, "map": dress.map,
        "normalisation": dress.normalisation, "gain": dress.gain, "method": dress.method,
        "collapse": list(dress.collapse),
        "blender": bpy.app.version_string, "numpy": np.__version__, "recording": recording.provenance,
    }  # fmt: skip
    return {
        "Title": dress.title or network.name,
        "Software": "innerwalk",
        "innerwalk": json.dumps(told, ensure_ascii=False, sort_keys=True),
    }
