"""Makes of a folder of frames what people watch: a video, an animation for a page, a poster."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...blender_addon.output.output_files import check_place, replaced
from ...torch_bridge.recording import Progress
from ...torch_bridge.recording.errors import InputError
from .frame_folder import FrameFolder, as_plain_png
from .video import CODECS, check_video_size, write_video
from .web_animation import check_web_animation, write_web_animation

FRAMES_ONLY = ""
"""Ending of a film that is no more than the folder of its frames."""


def check_film_output(out: Path, size: tuple[int, int], count: int, rate: float, *, spherical: bool = False) -> None:
    """Raises InnerwalkError for a film that can't be written so; called before a frame is rendered.

    size: (width, height). count: frames. rate: frames a second. spherical: whether they are spheres for two eyes.
    """
    if out.suffix == FRAMES_ONLY:
        return
    if spherical and out.suffix != ".mp4":
        raise InputError(f"{out.name}: players take 360° films as .mp4 only; name it {out.stem}.mp4")
    check_place(out, out.suffix)
    if out.suffix not in CODECS:
        check_web_animation(out, size, count, rate)
        return
    check_video_size(out, size)
    if out.suffix != ".mp4" and not _has_pyav():
        raise InputError(f"{out.name}: needs PyAV: pip install 'innerwalk[video]'; .mp4 works without it")


def write_film(
    folder: FrameFolder, frames: Sequence[int], out: Path, rate: float, progress: Progress, *, spherical: bool = False
) -> Path:
    """Writes the film of frames that are all there, of the kind that the file's ending names.

    rate: frames a second. spherical: whether frames are spheres for two eyes. Raises SceneError.
    """
    if out.suffix == ".mp4" and not _has_pyav():
        from .blender_video import write_blender_video  # only here: PyAV's is better tagged, and needs no Blender

        progress("encoding", 0.0)
        files = [folder.file(frame) for frame in frames]
        return write_blender_video(files, out, folder.size, rate, spherical=spherical)
    pixels = _read(folder, frames, progress)
    if out.suffix in CODECS:
        return write_video(pixels, out, folder.size, rate, spherical=spherical)
    return write_web_animation(pixels, out, folder.size, len(frames), rate)


def write_poster(folder: FrameFolder, frame: int, out: Path) -> Path:
    """Writes one frame as a picture (.png) to show before a film is played. Raises SceneError."""
    with replaced(out, ".png") as part:
        part.write_bytes(as_plain_png(folder.pixels(frame)))
    return out


def _read(folder: FrameFolder, frames: Sequence[int], progress: Progress) -> Iterator[np.ndarray]:
    for number, frame in enumerate(frames):
        progress("encoding", number / len(frames))
        yield folder.pixels(frame)


def _has_pyav() -> bool:
    return importlib.util.find_spec("av") is not None
