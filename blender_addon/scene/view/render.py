"""Rendering: settings that cost little for a hall that only emits, in silence and with progress."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ....torch_bridge.recording import Progress
from ....torch_bridge.recording.errors import SceneError
from ..materials.compat import EEVEE

ENGINES = {"cycles": "CYCLES", "eevee": EEVEE}
SAMPLE = re.compile(r"Sample (\d+)/(\d+)")
FEW = 8
"""Samples up to which a pixel gets all of them; beyond, those that have settled stop early."""


def set_render_settings(
    scene: bpy.types.Scene, width: int, height: int, samples: int, engine: str = "cycles", transparent: bool = False
) -> None:
    """Colours as they are, no dither, no light transport: everything in a hall emits."""
    scene.render.engine = ENGINES[engine]
    scene.render.dither_intensity = 0.0
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    scene.render.film_transparent = transparent
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGBA" if transparent else "RGB", "8"
    settings.compression = 15
    scene.cycles.device, scene.cycles.max_bounces, scene.cycles.seed = "CPU", 0, 0
    scene.cycles.samples = scene.eevee.taa_render_samples = samples
    scene.cycles.use_denoising = scene.cycles.use_light_tree = False
    scene.cycles.use_adaptive_sampling = samples > FEW
    scene.cycles.adaptive_min_samples, scene.cycles.adaptive_threshold = 4, 0.05


def render_png(scene: bpy.types.Scene, path: Path, progress: Progress | None = None) -> None:
    """Render the scene's camera to a PNG file, without a word on standard output. Raises SceneError."""
    scene.render.filepath, scene.render.use_file_extension = str(path), False
    try:
        with silence_stdout(), report_samples(progress):
            bpy.ops.render.render(write_still=True, scene=scene.name)
    except RuntimeError as error:
        raise SceneError(f"the picture could not be rendered: {str(error).splitlines()[0]}") from None
    if not path.is_file() or not path.stat().st_size:
        raise SceneError(f"the picture could not be written to {path.parent}; is the disk full?")


@contextmanager
def report_samples(progress: Progress | None) -> Iterator[None]:
    """Pass Blender's own "Sample 3/24" on."""

    def hear(line: str, *_: object) -> None:
        said = SAMPLE.search(line)
        if said and progress:
            progress("rendering", int(said[1]) / max(1, int(said[2])))

    bpy.app.handlers.render_stats.append(hear)  # type: ignore[arg-type]  # it is called with a line
    try:
        yield
    finally:
        bpy.app.handlers.render_stats.remove(hear)  # type: ignore[arg-type]


@contextmanager
def silence_stdout() -> Iterator[None]:
    """Blender writes its progress from C, so nothing but redirecting the file descriptor quiets it."""
    kept = os.dup(1)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
