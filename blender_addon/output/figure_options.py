"""What a figure shows and how: options, and the recording or hall that they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy
from mathutils import Matrix

from ...torch_bridge.recording import Recording, load
from ...torch_bridge.recording.errors import SceneError, UnknownName
from ..layout.camera_presets import OWN_CAMERA, PRESETS
from ..layout.view import View
from ..scene.engine import eevee_works, hall_engine_works
from ..scene.hall import store
from ..scene.hall.store import Appearance
from ..scene.view import render
from .hall_files import append_hall

SIZE, SAMPLES = (1920, 1080), 24
MOST_SAMPLES = 1 << 20
LENS = 24.0
VIEWPOINT = ("eye", "target", "lens", "span")
"""Options that say from where a picture is taken."""
FARTHEST = 1e6
"""Metres from the origin, and millimetres of a lens, that make sense."""
APPEARANCE = ("colour_map", "normalisation", "gain", "title", "collapse", "method")
"""Options that replace a field of the same name of the appearance."""


@dataclass(frozen=True)
class FigureOptions:
    """What a figure shows and how; fields that are None are taken from the preset or the hall."""

    preset: str = "overview"
    """One of PRESETS, or OWN_CAMERA for a hall's scene as it is: its camera, objects, lights and materials."""
    size: tuple[int, int] | None = None
    """(width, height) in pixels; None for SIZE, or the scene's own with OWN_CAMERA. So are the next three."""
    samples: int | None = None
    """Samples a pixel; None for SAMPLES."""
    engine: str | None = None
    """innerwalk, cycles or eevee; None for innerwalk, or cycles where it can't run or doesn't draw all of a scene."""
    transparent: bool | None = None
    """Whether the background is transparent; None for False."""
    layer: str | None = None
    """Id of the layer that the presets layer, tile and walk show."""
    theme: str | None = None
    colour_map: str | None = None
    normalisation: str | None = None
    gain: float | None = None
    title: str | None = None
    collapse: tuple[str, ...] | None = None
    """Globs of blocks to show as one panel each."""
    method: str | None = None
    """Method whose maps the panels show."""
    eye: tuple[float, float, float] | None = None
    """Point in metres from which the picture is taken, in place of the scene's camera; only with OWN_CAMERA."""
    target: tuple[float, float, float] | None = None
    """Point in metres at the middle of a picture from `eye`."""
    lens: float | None = None
    """Focal length in mm, for a sensor 36 mm wide, of a picture from `eye`; None for 24."""
    span: float | None = None
    """Width in metres of an orthographic picture from `eye`; None for a perspective one."""
    scene: str | None = None
    """Scene name of the hall, for a file with several; by default the first."""

    @property
    def view(self) -> View | None:
        """Where the picture is taken from; None for the scene's camera or the preset's."""
        if self.eye is None or self.target is None:
            return None
        return View(self.eye, self.target, *(self.size or SIZE), self.lens or LENS, self.span)


@dataclass(frozen=True)
class Source:
    """A recording with its appearance and the panels that a user moved."""

    recording: Recording
    appearance: Appearance
    moved: Mapping[str, Matrix] = field(default_factory=dict)
    """By layer: from a panel's planned place to where it stands."""


FigureSource = Recording | Source | bpy.types.Scene | Path | str
"""A recording, alone or with its appearance, a hall of the open file, a recording's folder, or a .blend file."""


def check(options: FigureOptions) -> None:
    """Raises UnknownName or SceneError for options that can't be rendered; called before any work is done."""
    if options.preset not in (*PRESETS, OWN_CAMERA):
        raise UnknownName("preset", options.preset, (*PRESETS, OWN_CAMERA))
    if options.engine not in (None, *render.ENGINES):
        raise UnknownName("engine", options.engine, render.ENGINES)
    size, samples = options.size or SIZE, SAMPLES if options.samples is None else options.samples
    if not (isinstance(size, (tuple, list)) and [type(side) for side in size] == [int, int] and type(samples) is int):
        raise SceneError(f"size {size!r}, samples {samples!r}: (width, height) and a number are needed")
    if not all(1 <= side <= 65536 for side in size) or not 1 <= samples <= MOST_SAMPLES:
        raise SceneError(f"a picture of {size[0]} × {size[1]} pixels with {samples} samples can't be made")
    works = {"eevee": eevee_works, "innerwalk": hall_engine_works}
    if options.engine in works and not works[options.engine]():
        raise SceneError(f"engine {options.engine} can't run on this machine (no OpenGL through EGL); cycles can")
    if options.layer is not None and options.preset not in ("layer", "tile", "walk", OWN_CAMERA):
        raise SceneError(f"preset {options.preset} shows no single layer; leave out layer {options.layer}")
    if isinstance(options.collapse, str):
        raise SceneError(f"collapse is {options.collapse!r}; a list of globs such as ['layer3.*'] is needed")
    fixed = [name for name in ("layer", "theme", *APPEARANCE) if getattr(options, name) is not None]
    _check_viewpoint(options)
    if options.preset == OWN_CAMERA and fixed:
        raise SceneError(f"preset {OWN_CAMERA} shows the scene as it is: change its {fixed[0]} in the hall instead")


def _check_viewpoint(options: FigureOptions) -> None:
    """Raises SceneError for a viewpoint that is none, or that the preset doesn't take."""
    stated = [name for name in VIEWPOINT if getattr(options, name) is not None]
    if not stated:
        return
    if options.preset != OWN_CAMERA:
        raise SceneError(f"preset {options.preset} has its own camera; {stated[0]} belongs to preset {OWN_CAMERA}")
    points = [options.eye, options.target]
    if not all(isinstance(point, (tuple, list)) and len(point) == 3 for point in points):
        raise SceneError(f"eye {options.eye!r}, target {options.target!r}: two points such as (0, -4, 1.7) are needed")
    numbers = [number for point in points for number in point or ()] + [options.lens or LENS, options.span or 1.0]
    if not all(isinstance(number, (int, float)) and abs(number) <= FARTHEST for number in numbers):
        raise SceneError(f"a picture is taken from points within {FARTHEST:,.0f} m, with a lens in mm")
    if options.eye == options.target or min(numbers[-2:]) <= 0:
        raise SceneError("eye and target must be two points, lens and span above 0")


def open_source(source: FigureSource, name: str | None = None) -> Source:
    """Opens a recording, its folder, a hall of this session, or a hall of a .blend file, by scene name or the first."""
    if isinstance(source, Source):
        return source
    if isinstance(source, Recording):
        return Source(source, Appearance())
    if not isinstance(source, bpy.types.Scene):
        path = Path(source)
        if path.suffix != ".blend":
            return Source(load(path), Appearance())
        source = append_hall(path, name)
    return Source(store.read_recording(source), store.read_appearance(source), store.manual_moves(source))


def with_options(appearance: Appearance, options: FigureOptions) -> Appearance:
    """Returns the appearance with the options applied; a different theme brings its own colour map."""
    if options.theme is not None and options.theme != appearance.theme:
        appearance = replace(appearance, theme=options.theme, colour_map="")
    changes = {name: getattr(options, name) for name in APPEARANCE}
    return replace(appearance, **{name: value for name, value in changes.items() if value is not None})
