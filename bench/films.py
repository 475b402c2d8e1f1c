"""Films: processor and wall seconds of frames, of a whole short film, of two processes, memory, and flicker.

Frames are 960 × 540 with 16 passes, along the tours of the shipped hall and of ResNet-50's. Flicker is measured on a
slow dolly in ResNet-50's hall against a fine picture, e = frame − fine: F is the rms of e's change from frame to frame
over √2, S the share of pixels whose luma changes by more than 16 of 255.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..blender_addon.films import CameraTrack, Film, Shot
from ..blender_addon.output.figure_options import Source
from ..blender_addon.output.film_frames import FilmFrames
from ..blender_addon.output.film_halls import build_film_hall
from ..blender_addon.recipes import Recipe, ShotEntry
from ..blender_addon.scene.hall.store import Appearance
from ..scenes.film_files.child_process import ChildProcess
from ..scenes.film_files.film_bundle import FilmBundle, unpack
from ..scenes.film_files.film_job import FilmJob
from ..scenes.film_files.local_farm import run_by_children
from ..scenes.film_files.recipe_bundle import bundle_film, render_recipe_film
from ..scenes.film_files.rendering import open_bundled_film, render_frame
from ..scenes.render_recipe import RecipeRun
from ..scenes.shipped import spec_fields
from ..torch_bridge.recording import load
from ..torch_bridge.subject import RecordSpec, record_from

OBJECT = Path(__file__).resolve().parent.parent / "tests" / "support" / "object_recording"
FRAME_SECONDS = {"object": 0.35, "ResNet-50": 0.6}
"""Most wall seconds of a frame on two idle cores."""
FILM_FRAMES, FILM_SECONDS = 48, 36.0
SPEED_OF_TWO = 1.7
LONG = 500
"""Frames over which memory is to stay."""
FLICKER = {16: (6.5, 6.5), 32: (4.3, 2.2)}
"""Most F of 255 and S in per cent, by passes: the default, and for a final film."""
FINE = 256
DOLLY = 0.02
"""Metres a frame."""


def measure() -> dict[str, Any]:
    """Returns the seconds of frames by hall, of a short film, the speed of two processes, memory and flicker."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        picture = spec_fields("object", folder)["inputs"]
        record_from(RecordSpec("resnet50", inputs=picture, layers=("panels",))).save(folder / "resnet50")
        for name, place in (("object", OBJECT), ("ResNet-50", folder / "resnet50")):
            found[f"frame of {name}"] = _frame_seconds(place, folder / name) | {"at most": FRAME_SECONDS[name]}
        found[f"{FILM_FRAMES} frames of ResNet-50, encoded"] = _film_seconds(folder / "resnet50", folder)
        found["two processes, ResNet-50"] = _speed_of_two(folder / "resnet50", folder)
        found[f"memory over {LONG} frames"] = _memory(folder / "long")
        found |= _flicker(folder / "resnet50")
    return found


@contextmanager
def _watched() -> Iterator[dict[str, float]]:
    """Yields a dict that has the wall and processor seconds of the block at its end, children included."""
    found: dict[str, float] = {}
    wall, used = time.perf_counter(), sum(os.times()[:4])
    yield found
    found |= {"wall s": time.perf_counter() - wall, "CPU s": sum(os.times()[:4]) - used}


def _recipe(place: Path, seconds: float, **film: Any) -> RecipeRun:
    stated = {"output": "film.mp4", "size": [960, 540], "rate": 24, "passes": 16, **film}
    shots = (ShotEntry("tour", options={"seconds": seconds}),)
    return RecipeRun(Recipe(recording=str(place), film=stated, shots=shots), place.parent, False)


def _quiet(step: str, share: float) -> None:
    """Takes progress that nobody watches."""


def _laid_out(run: RecipeRun, folder: Path) -> tuple[FilmBundle, Path]:
    bundle = bundle_film(run, folder, _quiet)
    return bundle, unpack(bundle, {digest: bundle.files[name] for name, digest in bundle.hashes.items()}, folder)


def _frame_seconds(place: Path, folder: Path) -> dict[str, float]:
    """Returns the mean seconds of frames, PNG included, all over the film but for the first."""
    bundle, recipe = _laid_out(_recipe(place, 10.0), folder)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    film = open_bundled_film(recipe, bundle.film)
    render_frame(film, 1)
    frames = range(10, film.frames.frame_count, 30)
    with _watched() as found:
        for frame in frames:
            render_frame(film, frame)
    return {key: value / len(frames) for key, value in found.items()}


def _film_seconds(place: Path, folder: Path) -> dict[str, float]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with _watched() as found:
        lines = list(render_recipe_film(_recipe(place, FILM_FRAMES / 24), folder / "out", FilmJob(), _quiet))
    assert any(line.startswith(f"{FILM_FRAMES} frames rendered") for line in lines), lines
    return found | {"at most": FILM_SECONDS}


def _speed_of_two(place: Path, folder: Path) -> dict[str, float]:
    """Returns how many times faster two processes of one thread each render than one does, once they are open."""
    bundle, recipe = _laid_out(_recipe(place, 2.0), folder / "two")
    seconds = []
    for workers in (1, 2):
        stream = run_by_children(range(1, 25 + workers), workers, partial(ChildProcess, recipe, bundle.film, 1))
        for _ in range(workers):
            next(stream)
        start = time.perf_counter()
        count = sum(1 for _ in stream)
        seconds.append((time.perf_counter() - start) / count)
    return {"one, s a frame": seconds[0], "two": seconds[1], "ratio": seconds[0] / seconds[1], "at least": SPEED_OF_TWO}


def _memory(folder: Path) -> dict[str, float]:
    """Returns the MB that the process holds after a fifth of the frames and after all."""
    bundle, recipe = _laid_out(_recipe(OBJECT, LONG / 24, size=[320, 180], passes=2), folder)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    film, held = open_bundled_film(recipe, bundle.film), []
    for number in range(1, LONG + 1):
        render_frame(film, 1 + number % film.frames.frame_count)
        if number in (LONG // 5, LONG):
            held.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
    return {"MB after a fifth": held[0], "MB at the end": held[1]}


def _flicker(place: Path) -> dict[str, Any]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene, hall = build_film_hall(Source(load(place), Appearance()))
    positions = np.array([(hall.x, 8.0 + DOLLY * k, 1.7) for k in range(4)])
    track = CameraTrack(positions, np.tile([0.0, np.arctan(0.015)], (4, 1)), np.full(4, 20.0))
    fine = _middles(scene, track, FINE)
    found = {}
    for passes, (most_change, most_share) in FLICKER.items():
        change = np.diff(_middles(scene, track, passes) - fine, axis=0)
        luma = np.abs(change @ (0.2126, 0.7152, 0.0722))
        row = {"F": float(np.sqrt(np.mean(change**2) / 2)), "at most": most_change}
        found[f"flicker, {passes} passes"] = row | {"S %": float(100 * np.mean(luma > 16)), "most %": most_share}
    return found


def _middles(scene: bpy.types.Scene, track: CameraTrack, passes: int) -> np.ndarray:
    """Renders the dolly; returns the middles of its frames, (4, 216, 422, 3) float64 0..255 sRGB."""
    film = Film((Shot("camera", track),), (960, 540), 24.0, passes, shows_progress=False)
    frames = FilmFrames(scene, film)
    return np.stack([frames.render(k)[162:378, 269:691, :3].astype(np.float64) for k in range(4)])
