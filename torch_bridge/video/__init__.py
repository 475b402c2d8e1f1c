"""Live sources by PyAV: video files and cameras. Late frames are dropped, never queued."""

from .frame import Frame, Video
from .open import open_video

__all__ = ["Frame", "Video", "open_video"]
