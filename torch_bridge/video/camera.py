"""Reads a camera in a thread that keeps only the newest frame."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..recording.errors import InputError
from .frame import Frame, error_text, frame_pixels, import_pyav

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

TIMEOUT_SECONDS = 5.0
"""Seconds without a frame after which a call fails."""
INPUT_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
"""sys.platform -> FFmpeg's input format for cameras."""


class Camera:
    """The `Video` of a camera; it can't seek."""

    frames = 0

    def __init__(self, name: str, container: InputContainer) -> None:
        """Start the thread and wait for the first frame. Raises InputError."""
        self._name, self._container, self._av = name, container, import_pyav()
        self.rate = float(container.streams.video[0].average_rate or 0)
        self._start = time.monotonic()
        self._arrived = threading.Condition()
        self._newest: tuple[VideoFrame, int, float] | None = None
        """The newest frame, its number, and its time in seconds since the camera was opened."""
        self._last: Frame | None = None
        """The frame that was returned last."""
        self._ended = ""
        self._thread = threading.Thread(target=self._read_frames, name=name, daemon=True)
        self._thread.start()
        try:
            self.size = self._frame_from(0).size
        except InputError:
            self.close()
            raise

    def frame_at(self, seconds: float) -> Frame:
        """The newest frame, whatever the time. Raises InputError once the camera is gone."""
        return self._frame_from(0)

    def step(self, n: int = 1) -> Frame:
        """Wait for the n-th frame after the last one, or a later one. Raises InputError."""
        return self._frame_from((self._last.number if self._last else -1) + n)

    def seek(self, number: int) -> Frame:
        """Raises InputError: a camera can't seek."""
        raise InputError(f"{self._name}: a camera has no frame {number} to go to; it only has the current one")

    def close(self) -> None:
        """Stop the thread and release the device."""
        self._end("closed")
        self._thread.join(TIMEOUT_SECONDS)

    def _frame_from(self, number: int) -> Frame:
        """The newest frame, but not before this number."""
        frame, number, seconds = self._wait(number)
        if not self._last or self._last.number != number:
            self._last = Frame(frame_pixels(frame), number, seconds)
        return self._last

    def _wait(self, number: int) -> tuple[VideoFrame, int, float]:
        with self._arrived:
            self._arrived.wait_for(lambda: self._ended or (self._newest and self._newest[1] >= number), TIMEOUT_SECONDS)
            if self._ended or not self._newest or self._newest[1] < number:
                raise InputError(f"{self._name}: {self._ended or f'no picture for {TIMEOUT_SECONDS:.0f} seconds'}")
            return self._newest

    def _read_frames(self) -> None:
        """Overwrite the newest frame with every frame that arrives; runs in the thread."""
        try:
            for number, frame in enumerate(self._container.decode(video=0)):
                with self._arrived:
                    if self._ended:
                        break
                    self._newest = frame, number, time.monotonic() - self._start
                    self._arrived.notify_all()
            self._end("the camera has ended")
        except (self._av.FFmpegError, OSError) as error:
            self._end(f"the camera is gone ({error_text(error)})")
        finally:
            self._container.close()

    def _end(self, reason: str) -> None:
        with self._arrived:
            self._ended = self._ended or reason
            self._arrived.notify_all()


def open_camera(text: str) -> InputContainer:
    """Open a camera by its number or, outside of Linux, its name. Raises InputError."""
    av, input_format = import_pyav(), INPUT_FORMATS.get(sys.platform, "v4l2")
    try:
        return av.open(_address(text, input_format), format=input_format)
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"camera:{text}: can't be opened ({error_text(error)}); {_available_text()}") from error


def _address(text: str, input_format: str) -> str:
    """The name of a camera in FFmpeg's input format."""
    if input_format == "v4l2":
        return f"/dev/video{text}" if text.isdecimal() else text
    if input_format == "avfoundation":
        return text
    devices = import_pyav().enumerate_input_devices(input_format)
    cameras = [device.description for device in devices if "video" in device.media_types]
    return f"video={cameras[int(text)] if text.isdecimal() and int(text) < len(cameras) else text}"


def _available_text() -> str:
    numbers = sorted(path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
    return f"there are {', '.join(f'camera:{number}' for number in numbers)}" if numbers else "there is none"
