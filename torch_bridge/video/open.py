"""Opens a video by the text that names it."""

from __future__ import annotations

from ..recording.errors import InputError
from ..recording.files import check_file, failure_text, user_path
from .camera import Camera, open_camera
from .frame import Video
from .playback import VideoFile


def open_video(text: str, loop: bool = True) -> Video:
    """Open a video file, or a camera such as `camera:0`. loop: whether a file starts again at its end.

    Raises InputError: no PyAV, no such file or camera, damaged, or no video stream.
    """
    if text.startswith("camera:"):
        return Camera(text, open_camera(text.removeprefix("camera:")))
    path = user_path(text)
    try:
        check_file(path)
    except OSError as error:
        raise InputError(f"video {text}: {failure_text(error)}; give a video file or camera:0") from None
    return VideoFile(path, loop)
