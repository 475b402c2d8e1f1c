"""A moving picture as a live source: a video file or a camera, by PyAV. Frames are dropped, never queued.

`film = open_film("walk.mp4")`, then `film.newest(seconds)` as often as there is time for it.
"""

from .frame import Video, Frame
from .open import open_video

__all__ = ["Video", "Frame", "open_video"]
