"""Frames, the interface of videos, and the import of PyAV, which happens only when a video is opened."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..recording.errors import InputError

if TYPE_CHECKING:
    from av import VideoFrame

UNSPECIFIED, BT709 = 2, 1
"""FFmpeg's numbers of YUV colour matrices."""
HD_ROWS = 720
"""Rows from which a video without a colour matrix is taken for BT.709."""


@dataclass(frozen=True)
class Frame:
    """One frame of a video."""

    picture: np.ndarray
    """(H, W, 3) uint8 sRGB, upright."""
    number: int
    """Number of the frame, from 0; of a camera, since it was opened."""
    seconds: float
    """Time since the start of the video, in seconds."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.picture.shape[:2]
        return width, height


class Video(Protocol):
    """Interface of video files and cameras. Any thread may call it; failures raise InputError."""

    rate: float
    """Mean number of frames per second."""
    frames: int
    """Number of frames; 0 if it is unknown, as for a camera."""
    size: tuple[int, int]
    """Width and height in pixels."""

    def frame_at(self, seconds: float) -> Frame:
        """The frame that is due so many seconds after the start; frames in between are skipped."""

    def step(self, n: int = 1) -> Frame:
        """The n-th frame after the last one."""

    def seek(self, number: int) -> Frame:
        """The frame of this number."""

    def close(self) -> None:
        """Close the file or device."""


def import_pyav() -> ModuleType:
    """Import PyAV. Raises InputError that says what to install."""
    try:
        import av
    except ImportError:
        raise InputError("videos and cameras need PyAV: pip install av, in the Python of the bridge") from None
    return av


def error_text(error: Exception) -> str:
    """The message of an error in one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:200] or type(error).__name__


def frame_pixels(frame: VideoFrame) -> np.ndarray:
    """The pixels of a frame, (H, W, 3) uint8 sRGB, rotated as the file says."""
    if frame.colorspace == UNSPECIFIED and frame.height >= HD_ROWS:
        frame.colorspace = BT709  # as in players; FFmpeg would use BT.601
    rotated = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4)
    return np.ascontiguousarray(rotated)
