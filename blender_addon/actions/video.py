"""A video file or a camera as a hall's input: played, paused and stepped.

The next frame is requested when the last one is shown and another is due, and it is the frame that is due then: frames
are skipped, never queued. (Requested sooner, while the last one was still being shown, ResNet-50 on two cores showed
hardly more of them, each of them later.)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge import client
from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import InnerwalkError, InputError
from ..live import timer
from ..live.hall_requests import LISTENERS, scene_with_uid, show_input_again
from ..live.hall_state import VideoPlayback
from ..live.session import current
from ..properties import INPUT_TAG, NETWORK_NAME, VIDEO_FRAME, VIDEO_SOURCE
from ..scene.hall.stored_paths import absolute_path
from .bridge import network_of, show_input

DEFAULT_RATE = 25.0
"""Frames a second of a camera that doesn't report its rate."""
ROUNDING = 1e-3
"""Share of a frame by which the clock may be short of the next frame and still count as having reached it."""


def play_video(scene: bpy.types.Scene, source: str = "") -> str:
    """Runs the hall's network on a video, frame after frame; without `source`, goes on with the one that is open.

    In the background no time passes, so the video stays at its first frame, or at the one where it was: there
    `step_video` and `show_video_frame` show others.
    source: a video file on the bridge's machine, or camera:0; a path that begins with // is relative to the .blend
    file. Returns a line that says which video begins, and errors of the file itself are raised by `wait_for_bridge`.
    Raises BridgeError if the bridge can't be asked, or InputError if no video is named or open, or one is being opened.
    """
    network_of(scene)
    video, plays = current().video_of(scene.session_uid), not timer.in_background()
    if not source and video is not None:
        _start_clock(scene, video)
        video.running = plays
        return _request_frame(scene, video)

    def start(hall: bpy.types.Scene, video: VideoPlayback) -> None:
        if source:
            hall[VIDEO_FRAME] = 0
        _start_clock(hall, video)
        video.running = plays
        _request_frame(hall, video)

    name = open_video(scene, source or str(scene.get(VIDEO_SOURCE, "")), start)
    return f"opening {name}" if plays else f"opening {name}; it stays at one frame, as no time passes in the background"


def open_video(scene: bpy.types.Scene, source: str, then: Callable[[bpy.types.Scene, VideoPlayback], None]) -> str:
    """Opens a video on the bridge in place of the hall's; until it is open, or if it can't be, nothing changes.

    then: called with the scene and the video once it is open. Returns the name of the file or camera. Raises
    BridgeError, or InputError if no video is named or one is being opened.
    """
    session, uid = current(), scene.session_uid
    if not source:
        raise InputError("no video is open; name a video file or camera:0")
    if (pending := session.hall(uid).opening) is not None:
        raise InputError(f"{pending.name} isn't open yet; try again in a moment")
    path = absolute_path(source)
    video = VideoPlayback(free_video_name(path, uid))

    def finish(videos: list[dict[str, Any]]) -> None:
        hall, info = scene_with_uid(uid), next(info for info in videos if info["name"] == video.name)
        session.hall(uid).opening = None
        if hall is not None:
            video.rate, video.frames = info["rate"] or DEFAULT_RATE, info["frames"]
            _replace_video(hall, video, path)
            then(hall, video)

    video.open_tag = session.ask(lambda bridge: bridge.open_video(video.name, path), finish)
    session.hall(uid).opening = video
    timer.start()
    return Path(path).name


def _replace_video(scene: bpy.types.Scene, video: VideoPlayback, path: str) -> None:
    """Makes a video that has been opened the hall's."""
    session, state = current(), current().hall(scene.session_uid)
    former, state.video = state.video, video
    session.drop_scheduled(scene.session_uid)
    if former is not None and former.name != video.name:  # else the bridge has closed it
        session.close_on_bridge(former)
    scene[VIDEO_SOURCE] = path


def _start_clock(scene: bpy.types.Scene, video: VideoPlayback) -> None:
    """Lets the clock go on from the frame that is shown."""
    video.started = time.monotonic() - int(scene.get(VIDEO_FRAME, 0)) / video.rate


def free_video_name(source: str, uid: int | None = None) -> str:
    """Returns a name for a video on the bridge that no other has; `uid` is of the hall whose video it replaces."""
    name, number = Path(source).name, 2
    taken = {video.name for other, hall in current().halls.items() if other != uid for video in hall.videos}
    while name in taken:
        name, number = f"{Path(source).name} {number}", number + 1
    return name


def pause_video(scene: bpy.types.Scene) -> str:
    """Pauses the hall's video at the frame that is shown; a frame that was requested already isn't shown.

    Returns a line that says the frame's number. Raises InputError if no video is open.
    """
    video = _opened_video(scene)
    video.running = False
    _drop_requested_frame(scene, video)
    return f"paused at frame {scene.get(VIDEO_FRAME, 0)}"


def step_video(scene: bpy.types.Scene, by: int = 1) -> str:
    """Pauses the hall's video and shows the frame `by` frames later (earlier if negative), at most its first or last.

    A camera shows its next frame, whatever `by` is. Returns a line that says which input is run. Raises InputError if
    no video is open, or BridgeError.
    """
    video = _opened_video(scene)
    requested = _video_input(video, str(scene.get(INPUT_TAG, "")))
    frame = max(0, int(requested.get("frame", scene.get(VIDEO_FRAME, 0))) + by)
    video.running = False
    _drop_requested_frame(scene, video)
    if not video.frames:
        return show_input(scene, client.video(video.name))
    return show_video_frame(scene, min(frame, video.frames - 1))


def show_video_frame(scene: bpy.types.Scene, frame: int) -> str:
    """Runs the hall's network on one frame of its video, counted from 0.

    Returns a line that says which input is run. Raises InputError if no video is open or it has no such frame, or
    BridgeError.
    """
    video = _opened_video(scene)
    if not video.frames:
        raise InputError(f"{video.name} is a camera, which has no frame {frame} to go to; step it")
    if not 0 <= frame < video.frames:
        raise InputError(f"{video.name} has no frame {frame}; its frames are 0 to {video.frames - 1}")
    return show_input(scene, client.video(video.name, frame=frame))


def stop_video(scene: bpy.types.Scene) -> str:
    """Closes the hall's video, here and on the bridge; the last frame stays.

    Returns a line that says which video is closed, or that none was open.
    """
    scene.pop(VIDEO_SOURCE, None)
    video = current().close_video(scene.session_uid)
    if video is None:
        return "no video is open"
    _drop_requested_frame(scene, video)
    return f"{video.name} is closed"


def _video_input(video: VideoPlayback, tag: str) -> dict[str, Any]:
    """Returns the input that was requested under a tag, as the bridge gets it; {} if it is none of the video."""
    request = current().input_request(tag)
    values = dict(request.inputs[0].values) if request is not None and request.inputs else {}
    return values if values.get("film") == video.name else {}


def _drop_requested_frame(scene: bpy.types.Scene, video: VideoPlayback) -> None:
    """Shows the last complete input again if a frame was requested and isn't shown completely."""
    session, tag = current(), str(scene.get(INPUT_TAG, ""))
    shown = session.hall(scene.session_uid).shown
    session.drop_scheduled(scene.session_uid)
    if shown and tag != shown and _video_input(video, tag):
        scene[INPUT_TAG] = shown
        show_input_again(session, scene)
        timer.start()
    _restore_frame(scene, video)


def _restore_frame(scene: bpy.types.Scene, video: VideoPlayback) -> None:
    """Sets VIDEO_FRAME to the frame that the hall shows, if it shows one of the video."""
    shown = _video_input(video, current().hall(scene.session_uid).shown)
    if "frame" in shown:  # each has its number once it is shown
        scene[VIDEO_FRAME] = shown["frame"]


def _opened_video(scene: bpy.types.Scene) -> VideoPlayback:
    video = current().video_of(scene.session_uid)
    if video is None:
        raise InputError("no video is open; name a video file or camera:0")
    return video


def _request_frame(scene: bpy.types.Scene, video: VideoPlayback) -> str:
    """Requests the frame that is due now, or the one that the video is paused at; the next one of a camera."""
    if not video.running:
        return show_video_frame(scene, int(scene.get(VIDEO_FRAME, 0))) if video.frames else step_video(scene)
    video.requested_second = max(0.0, time.monotonic() - video.started)
    return show_input(scene, client.video(video.name, seconds=video.requested_second))


def _on_input(tag: str, recording: Recording | None) -> None:
    """Listener: goes on to the next frame where a frame is shown; pauses the video where it has failed."""
    for uid, hall in list(current().halls.items()):
        if recording is None and hall.opening is not None and tag == hall.opening.open_tag:
            hall.opening = None
        video, scene = hall.video, scene_with_uid(uid)
        if video is None or scene is None or scene.get(INPUT_TAG) != tag:
            continue
        if recording is None:
            video.running = False
            _restore_frame(scene, video)
        else:
            _on_frame(scene, video, recording.input_name, tag)


def _on_frame(scene: bpy.types.Scene, video: VideoPlayback, input_name: str, tag: str) -> None:
    """A frame is shown: note its number, and schedule the request for the next one."""
    name, _, number = input_name.rpartition(", frame ")
    if name != video.name or not number.isdecimal():
        return
    scene[VIDEO_FRAME] = int(number)
    request = current().input_request(tag)
    if request is not None and video.frames:  # by number, so that undo runs this frame again and not the one due then
        request.network, request.inputs = str(scene[NETWORK_NAME]), (client.video(name, frame=int(number)),)
    due = video.started + (int(video.requested_second * video.rate + ROUNDING) + 1) / video.rate
    if video.running:
        current().schedule(scene.session_uid, due, partial(_request_next_frame, scene.session_uid, tag))


def _request_next_frame(uid: int, tag: str) -> None:
    """Requests the frame that is due, unless something else was requested since the frame of this tag."""
    scene, video = scene_with_uid(uid), current().video_of(uid)
    if scene is None or video is None or not video.running or scene.get(INPUT_TAG) != tag:
        return
    try:
        _request_frame(scene, video)
    except InnerwalkError:
        video.running = False
        raise


LISTENERS.append(_on_input)
