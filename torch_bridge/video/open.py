"""From what a person writes to a film."""

from __future__ import annotations

from pathlib import Path

from ..recording.errors import InputError
from .camera import Camera, open_device
from .frame import Video
from .playback import VideoFile


def open_video(text: str, loop: bool = True) -> Video:
    """Open a video file, or a camera: `camera:0`. A file starts again at its end where `loop` is set.

    Raises InputError: no PyAV, no such file or camera, damaged, no picture in it.
    """
    if text.startswith("camera:"):
        return Camera(text, open_device(text.removeprefix("camera:")))
    path = Path(text).expanduser()
    try:
        there = path.is_file()
    except OSError as error:
        raise InputError(f"film {text}: can't be read ({error.strerror})") from None
    if not there:
        raise InputError(f"film {text}: no such file; give a video file or camera:0")
    return VideoFile(path, loop)
