"""Records frames of a video on the bridge as a series, one after another. No bpy here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...torch_bridge import client
from ...torch_bridge.client import Bridge
from ...torch_bridge.recording import SeriesWriter
from ...torch_bridge.recording.errors import InputError
from .bridge_connection import NO_OPTIONS, RunOptions

AXIS = "frame"
"""What the entries of a video's series differ in."""


@dataclass
class SeriesJob:
    """The recording of a series, which runs in a thread of its own."""

    network: str
    """Name of the bridge's network."""
    video: str
    """Name of the video on the bridge."""
    path: str
    """The video file, if it is to be opened; "" for one that is open already."""
    folder: Path
    """Where the series is written."""
    first: int = 0
    """First frame of the video that is recorded."""
    step: int = 1
    """Number of frames from one that is recorded to the next."""
    options: RunOptions = NO_OPTIONS
    tag: str = ""
    """Tag of the request."""
    done: int = 0
    """Number of frames that are recorded."""
    count: int = 0
    """Number of frames to record; 0 until the video is open."""
    stopped: bool = False
    """Set it to end the recording after the next frame; what is recorded is kept."""
    left_out: int = 0
    """Number of frames that can't be decoded."""


def record_video_series(bridge: Bridge, job: SeriesJob) -> SeriesJob:
    """Runs a network on frames of a video and writes a series of them; returns the job.

    Frames that can't be decoded are left out. Raises InputError, BridgeError, ModelError or RecordingError; frames
    that were recorded before are kept.
    """
    videos = bridge.open_video(job.video, job.path) if job.path else bridge.describe()["films"]
    try:
        info = next((info for info in videos if info["name"] == job.video), None)
        if info is None:
            raise InputError(f"{job.video} is open no more; name its file")
        _record_frames(bridge, job, range(job.first, info["frames"], job.step), float(info["rate"] or 0))
    finally:
        if job.path:
            bridge.close_video(job.video)
    return job


def _record_frames(bridge: Bridge, job: SeriesJob, numbers: range, rate: float) -> None:
    if not numbers:
        raise InputError(f"{job.video} has no frame {job.first}; its frames are 0 to {numbers.stop - 1}")
    job.count = len(numbers)
    origin: dict[str, Any] = {"video": job.video, "network": job.network, "first": job.first, "step": job.step}
    origin |= {name: value for name, value in job.options._asdict().items() if value}
    with SeriesWriter(job.folder, AXIS, rate / job.step, origin) as writer:
        for number in numbers:
            if job.stopped:
                break
            frame = client.video(job.video, frame=number)
            recording = bridge.record(job.network, [frame], **job.options._asdict())
            if recording.input_name.endswith(f", frame {number}"):
                writer.add(f"frame {number}", recording)
            else:  # the bridge gives another in the place of a damaged one
                job.left_out += 1
            job.done += 1
