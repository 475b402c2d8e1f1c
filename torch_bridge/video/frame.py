"""One frame, what a film can do, and PyAV, which is loaded only when a film is opened."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..recording.errors import InputError

if TYPE_CHECKING:
    from av import VideoFrame

UNSAID, BT709 = 2, 1
"""Matrices between colours and what is stored, as FFmpeg numbers them."""
HD_ROWS = 720


@dataclass(frozen=True)
class Frame:
    """One picture of a film."""

    picture: np.ndarray
    """(H, W, 3) uint8 sRGB, upright."""
    number: int
    """From 0; of a camera, since it was opened."""
    seconds: float
    """Since the start of the film."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.picture.shape[:2]
        return width, height


class Video(Protocol):
    """Any thread may ask. What fails raises InputError."""

    rate: float
    """Frames a second, in the mean."""
    frames: int
    """0: unknown, a camera."""
    size: tuple[int, int]
    """Width and height in pixels."""

    def frame_at(self, at: float) -> Frame:
        """The frame that is due `at` seconds after the start; what lies between is left out."""

    def step(self, n: int = 1) -> Frame:
        """Exactly the n-th next frame."""

    def seek(self, number: int) -> Frame:
        """The frame of this number."""

    def close(self) -> None:
        """Let go of the file or device."""


def pyav() -> ModuleType:
    """The module `av`. Raises InputError with what to install."""
    try:
        import av
    except ImportError:
        raise InputError("films and cameras need PyAV: pip install av, for the Python of the bridge") from None
    return av


def said(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:200] or type(error).__name__


def pixels(frame: VideoFrame) -> np.ndarray:
    """(H, W, 3) uint8 sRGB, turned upright as the file says."""
    if frame.colorspace == UNSAID and frame.height >= HD_ROWS:
        frame.colorspace = BT709  # as players take it; FFmpeg would take BT.601
    turned = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4)
    return np.ascontiguousarray(turned)
