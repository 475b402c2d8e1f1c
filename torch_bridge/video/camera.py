"""A camera: a thread of its own keeps the newest frame and nothing else."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..recording.errors import InputError
from .frame import Frame, pixels, pyav, said

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

PATIENCE = 5.0
"""Seconds without a frame after which a camera counts as stuck."""
SYSTEMS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
"""FFmpeg's readers of cameras."""


class Camera:
    """The `Film` of a device. It has no past: there is no seeking."""

    frames = 0

    def __init__(self, name: str, container: InputContainer) -> None:
        """Start to watch, wait for the first frame. Raises InputError."""
        self._name, self._container, self._av = name, container, pyav()
        self.rate = float(container.streams.video[0].average_rate or 0)
        self._start = time.monotonic()
        self._arrived = threading.Condition()
        self._slot: tuple[VideoFrame, int, float] | None = None
        self._shown: Frame | None = None
        self._ended = ""
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)
        self._thread.start()
        try:
            self.size = self._from(0).size
        except InputError:
            self.close()
            raise

    def frame_at(self, at: float) -> Frame:
        """The frame that came last, whatever time is asked for. Raises InputError once the camera is gone."""
        return self._from(0)

    def step(self, n: int = 1) -> Frame:
        """The n-th frame after the one that was given last, or a later one; waited for. Raises InputError."""
        return self._from((self._shown.number if self._shown else -1) + n)

    def seek(self, number: int) -> Frame:
        """Raises InputError."""
        raise InputError(f"{self._name}: a camera has no frame {number} to go to; it shows what is now")

    def close(self) -> None:
        """Stop watching; the device is free afterwards."""
        self._end("closed")
        self._thread.join(PATIENCE)

    def _from(self, number: int) -> Frame:
        """The newest frame, of this number at least."""
        frame, number, seconds = self._wait(number)
        if not self._shown or self._shown.number != number:
            self._shown = Frame(pixels(frame), number, seconds)
        return self._shown

    def _wait(self, number: int) -> tuple[VideoFrame, int, float]:
        with self._arrived:
            self._arrived.wait_for(lambda: self._ended or (self._slot and self._slot[1] >= number), PATIENCE)
            if self._ended or not self._slot or self._slot[1] < number:
                raise InputError(f"{self._name}: {self._ended or f'no picture for {PATIENCE:.0f} seconds'}")
            return self._slot

    def _watch(self) -> None:
        """The thread: overwrite the slot with every frame."""
        try:
            for number, frame in enumerate(self._container.decode(video=0)):
                with self._arrived:
                    if self._ended:
                        break
                    self._slot = frame, number, time.monotonic() - self._start
                    self._arrived.notify_all()
            self._end("the camera has ended")
        except (self._av.FFmpegError, OSError) as error:
            self._end(f"the camera is gone ({said(error)})")
        finally:
            self._container.close()

    def _end(self, why: str) -> None:
        with self._arrived:
            self._ended = self._ended or why
            self._arrived.notify_all()


def open_device(text: str) -> InputContainer:
    """The camera of a number or, outside of Linux, a name, by the system's own reader. Raises InputError."""
    av, system = pyav(), SYSTEMS.get(sys.platform, "v4l2")
    try:
        return av.open(_address(text, system), format=system)
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"camera:{text}: can't be opened ({said(error)}); {_there_are()}") from error


def _address(text: str, system: str) -> str:
    """What the reader calls the camera."""
    if system == "v4l2":
        return f"/dev/video{text}" if text.isdecimal() else text
    if system == "avfoundation":
        return text
    cameras = [one.description for one in pyav().enumerate_input_devices(system) if "video" in one.media_types]
    return f"video={cameras[int(text)] if text.isdecimal() and int(text) < len(cameras) else text}"


def _there_are() -> str:
    numbers = sorted(path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
    return f"there are {', '.join(f'camera:{number}' for number in numbers)}" if numbers else "there is none"
