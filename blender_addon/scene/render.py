"""Rendering: settings that cost little for a hall that only emits, and pictures that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ...torch_bridge.errors import SceneError
from .compat import EEVEE

ENGINES = {"cycles": "CYCLES", "eevee": EEVEE}
Progress = Callable[[str, float], None]
"""Called with what is being done and how much of it is done, 0..1."""


def prepare(scene: bpy.types.Scene, width: int, height: int, samples: int, engine: str = "cycles", transparent: bool = False) -> None:
    """Colours as they are, no dither, no light transport: everything in a hall emits."""
    scene.render.engine = ENGINES[engine]
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    scene.render.film_transparent = transparent
    scene.render.dither_intensity = 0.0
    scene.view_settings.view_transform = "Standard"
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGBA" if transparent else "RGB", "8"
    settings.compression = 15
    scene.cycles.device = "CPU"
    scene.cycles.samples = scene.eevee.taa_render_samples = samples
    scene.cycles.max_bounces = 0
    scene.cycles.use_denoising = scene.cycles.use_light_tree = False
    scene.cycles.use_adaptive_sampling = samples > 8
    scene.cycles.adaptive_min_samples, scene.cycles.adaptive_threshold = 5, 0.02
    scene.cycles.seed = 0


def render_png(scene: bpy.types.Scene, path: Path) -> None:
    """Render the scene's camera to a PNG file, without a word on standard output. Raises SceneError."""
    scene.render.filepath = str(path)
    scene.render.use_file_extension = False
    with silent():
        bpy.ops.render.render(write_still=True, scene=scene.name)
    if not path.is_file() or not path.stat().st_size:
        raise SceneError(f"the picture could not be written to {path.parent}; is the disk full?")


@contextmanager
def silent() -> Iterator[None]:
    """Blender writes its progress from C, so nothing but redirecting the file descriptor quiets it."""
    kept = os.dup(1)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
