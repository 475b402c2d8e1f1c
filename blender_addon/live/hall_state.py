"""State of a hall in this run of Blender, which undo and saving leave alone. No bpy here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .series_recording import SeriesJob


@dataclass
class VideoPlayback:
    """A video file or camera that a hall's network is run on.

    Frames that come faster than the network are skipped, so playback never lags behind its clock.
    """

    name: str
    """Name of the video on the bridge."""
    running: bool = False
    """False while it is paused."""
    open_tag: str = ""
    """Tag of the query that opens it on the bridge."""
    rate: float = 1.0
    """Frames a second."""
    frames: int = 0
    """Number of frames; 0 for a camera."""
    started: float = 0.0
    """Time of the video's second 0, by `time.monotonic`."""
    requested_second: float = 0.0
    """Second of the video for which a frame was requested last."""


@dataclass
class HallState:
    """State of one hall."""

    shown: str = ""
    """Tag of the input that the hall has last shown completely; "" for none."""
    link: object = None
    """The connection to the bridge on which the hall was connected to its network, in this run of Blender."""
    initial: str = ""
    """Tag under which what the hall held before its first request is stored; it is never forgotten. "" for none."""
    panel_names: dict[str, str] = field(default_factory=dict)
    """Name of the object in which a layer's panel was found last; another object may have that name by now."""
    former_answer: tuple[tuple[int, str, float], ...] = ()
    """`Prediction.top` of the answer that was shown before the present one; () for none."""
    shelf: str = ""
    """Description of the pictures on the hall's shelf, as in the scene's property SHELF_CONTENT; "" for none."""
    video: VideoPlayback | None = None
    """The video that the hall's network is run on."""
    opening: VideoPlayback | None = None
    """The video that is being opened; it takes the place of `video` once it is open."""
    series: SeriesJob | None = None
    """The recording of a series that runs for this hall."""

    pictures: list[Any] = field(default_factory=list)
    """Each a `TakenPicture` that is small and waits to be rendered in full size."""

    @property
    def videos(self) -> list[VideoPlayback]:
        """The videos that the bridge has open for this hall, or is asked to open."""
        return [video for video in (self.video, self.opening) if video is not None]
