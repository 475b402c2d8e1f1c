"""Renders a hall: fast settings for surfaces that only emit light, progress, and no output of Blender's."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np

from ....torch_bridge.recording import Progress
from ....torch_bridge.recording.errors import SceneError
from ...imaging.colour_maps import to_srgb
from ..engine import ENGINE, NOT_DRAWN, KeptPicture, hall_engine_works, pictures_kept, register_engine
from ..materials.compat import EEVEE
from .standard_streams import silence_stdout, without_egl_errors

ENGINES = {"innerwalk": ENGINE, "cycles": "CYCLES", "eevee": EEVEE}
SAMPLE = re.compile(r"Sample (\d+)/(\d+)")
DRIVER = re.compile(r"Driver (.*)")
PNG_END = b"IEND\xaeB`\x82"
"""The last bytes of every PNG file."""
MAX_FIXED_SAMPLES = 8
"""Number of samples above which sampling is adaptive: pixels without noise stop early."""


class Rendering(NamedTuple):
    """How a picture was rendered."""

    engine: str
    """A key of ENGINES, or Blender's id of another engine."""
    driver: str
    """The graphics driver that Innerwalk's engine drew with; "" for others, and where a compositor shows no render."""
    note: str
    """Why Cycles has rendered in place of Innerwalk's engine; "" if it hasn't."""


def default_engine() -> str:
    """Returns the key of ENGINES by which figures are rendered here: Innerwalk's own, or Cycles without OpenGL."""
    return "innerwalk" if hall_engine_works() else "cycles"


def set_render_settings(
    scene: bpy.types.Scene, width: int, height: int, samples: int, engine: str = "cycles", transparent: bool = False
) -> None:
    """Sets exact colours, no dither and no light bounces, because every surface of a hall emits its colour.

    engine: a key of ENGINES. transparent: render without the background.
    """
    set_engine(scene, engine)
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


def set_engine(scene: bpy.types.Scene, engine: str) -> None:
    """Sets the engine of a scene's renders, a key of ENGINES."""
    register_engine()
    scene.render.engine = ENGINES[engine]


def render_png(scene: bpy.types.Scene, path: Path, progress: Progress | None = None) -> Rendering:
    """Renders the scene's camera to a PNG file, silently; by Cycles if the hall's engine doesn't draw all of the scene.

    Raises SceneError.
    """
    scene.render.filepath, scene.render.use_file_extension = str(path), False
    lines: list[str] = []
    error = _render(scene, progress, lines)
    note = error.partition(f"{NOT_DRAWN}: ")[2]
    if note:
        set_engine(scene, "cycles")
        error = _render(scene, progress, lines)
    if error:
        raise SceneError(f"the picture could not be rendered: {error}")
    if not _is_whole(path):  # Blender doesn't tell
        raise SceneError(f"the picture could not be written to {path.parent}; is the disk full?")
    names = {id: name for name, id in ENGINES.items()}
    drivers = [match[1] for match in map(DRIVER.search, lines) if match]
    engine = scene.render.engine
    return Rendering(names.get(engine, engine), drivers[-1] if engine == ENGINE and drivers else "", note)


def render_pixels(scene: bpy.types.Scene, kept: KeptPicture) -> np.ndarray:
    """Renders the scene's camera; returns (height, width, 4) uint8 sRGB with straight alpha, top row first.

    kept: what is used again for the next picture. Where Innerwalk's engine doesn't draw all of the scene, Cycles
    renders, through a temporary file, because Blender hands out no pixels of other engines. Raises SceneError.
    """
    if scene.render.engine == ENGINE:
        kept.pixels = None
        with pictures_kept(kept):
            error = _render(scene, None, [], write_still=False)
        if kept.pixels is not None:
            return to_straight(kept.pixels[::-1])
        if NOT_DRAWN not in error:
            raise SceneError(f"the picture could not be rendered: {error or 'the engine gave none'}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frame.png"
        render_png(scene, file)
        image = bpy.data.images.load(str(file))
        pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
        image.pixels.foreach_get(pixels)
        picture = np.rint(255 * pixels.reshape(image.size[1], image.size[0], 4)[::-1]).astype(np.uint8)
        bpy.data.images.remove(image)
    return picture


def to_straight(pixels: np.ndarray) -> np.ndarray:
    """Converts linear pixels with premultiplied alpha, (H, W, 4) float, to uint8 sRGB with straight alpha."""
    alpha = np.clip(pixels[..., 3:], 0, 1)
    colours = to_srgb(np.clip(pixels[..., :3] / np.maximum(alpha, 1e-6), 0, 1))
    return np.rint(255 * np.concatenate([colours, alpha], -1)).astype(np.uint8)


def _render(scene: bpy.types.Scene, progress: Progress | None, lines: list[str], write_still: bool = True) -> str:
    """Renders and adds Blender's status lines to a list; returns the first line of an error, "" for none."""

    def on_line(line: str) -> None:
        lines.append(line)
        match = SAMPLE.search(line)
        if match and progress:
            progress("rendering", int(match[1]) / max(1, int(match[2])))

    try:
        # without the override Blender renders the frame that the window's own scene is at
        with silence_stdout(), without_egl_errors(), status_lines(on_line), bpy.context.temp_override(scene=scene):
            bpy.ops.render.render(write_still=write_still, scene=scene.name)
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return ""


def _is_whole(path: Path) -> bool:
    """Returns whether a PNG file was written to its end."""
    return path.is_file() and path.read_bytes().endswith(PNG_END)


@contextmanager
def status_lines(on_line: Callable[[str], None]) -> Iterator[None]:
    """Calls a function with each of Blender's status lines, such as "Sample 3/24"."""

    def on_stats(line: str, *_: object) -> None:
        on_line(line)

    bpy.app.handlers.render_stats.append(on_stats)  # type: ignore[arg-type]  # called with a line
    try:
        yield
    finally:
        bpy.app.handlers.render_stats.remove(on_stats)  # type: ignore[arg-type]
