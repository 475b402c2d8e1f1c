"""Renders a hall: fast settings for surfaces that only emit light, progress, and no output of Blender's."""

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
PNG_END = b"IEND\xaeB`\x82"
"""The last bytes of every PNG file."""
MAX_FIXED_SAMPLES = 8
"""Number of samples above which sampling is adaptive: pixels without noise stop early."""


def set_render_settings(
    scene: bpy.types.Scene, width: int, height: int, samples: int, engine: str = "cycles", transparent: bool = False
) -> None:
    """Sets exact colours, no dither and no light bounces, because every surface of a hall emits its colour.

    engine: a key of ENGINES. transparent: render without the background.
    """
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
    scene.cycles.use_adaptive_sampling = samples > MAX_FIXED_SAMPLES
    scene.cycles.adaptive_min_samples, scene.cycles.adaptive_threshold = 4, 0.05


def render_png(scene: bpy.types.Scene, path: Path, progress: Progress | None = None) -> None:
    """Renders the scene's camera to a PNG file, silently. Raises SceneError."""
    scene.render.filepath, scene.render.use_file_extension = str(path), False
    try:
        with silence_stdout(), report_samples(progress):
            bpy.ops.render.render(write_still=True, scene=scene.name)
    except RuntimeError as error:
        raise SceneError(f"the picture could not be rendered: {str(error).splitlines()[0]}") from None
    if not _is_whole(path):  # Blender doesn't tell
        raise SceneError(f"the picture could not be written to {path.parent}; is the disk full?")


def _is_whole(path: Path) -> bool:
    """Returns whether a PNG file was written to its end."""
    return path.is_file() and path.read_bytes().endswith(PNG_END)


@contextmanager
def report_samples(progress: Progress | None) -> Iterator[None]:
    """Passes Blender's status lines "Sample 3/24" to a progress callback."""

    def on_stats(line: str, *_: object) -> None:
        match = SAMPLE.search(line)
        if match and progress:
            progress("rendering", int(match[1]) / max(1, int(match[2])))

    bpy.app.handlers.render_stats.append(on_stats)  # type: ignore[arg-type]  # called with a line
    try:
        yield
    finally:
        bpy.app.handlers.render_stats.remove(on_stats)  # type: ignore[arg-type]


@contextmanager
def silence_stdout() -> Iterator[None]:
    """Redirects standard output's file descriptor to nowhere, because Blender writes its progress from C."""
    stdout = os.dup(1)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(stdout, 1)
            os.close(stdout)
