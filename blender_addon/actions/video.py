"""A video file or a camera as a hall's input: played, paused, stepped, and keyed on the timeline.

The next frame is requested when the last one is shown and another is due, and it is the frame that is due then: frames
are skipped, never queued. (Requested sooner, while the last one was still being shown, ResNet-50 on two cores showed
hardly more of them, each of them later.)
"""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge import client
from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import InnerwalkError, InputError
from ..live import timer
from ..live.hall_requests import LISTENERS, scene_with_uid, show_input_again
from ..live.hall_state import HallState, VideoPlayback
from ..live.session import current
from ..properties import INPUT_TAG, NETWORK_NAME, VIDEO_FRAME, VIDEO_SOURCE
from ..scene.hall import session_events
from .bridge import network_of, show_input

DEFAULT_RATE = 25.0
"""Frames a second of a camera that doesn't report its rate."""
ROUNDING = 1e-3
"""Share of a frame by which the clock may be short of the next frame and still count as having reached it."""
RENDER_WAIT_SECONDS = 60.0
"""Seconds that a render waits until the keyed frame is shown."""


def play_video(scene: bpy.types.Scene, source: str = "") -> str:
    """Runs the hall's network on a video, frame after frame; without `source`, goes on with the one that is open.

    source: a video file on the bridge's machine, or camera:0. Returns a line that says which video begins. Raises
    BridgeError if the bridge can't be asked, or InputError if no video is named or open.
    """
    network_of(scene)
    if not source and current().video_of(scene.session_uid) is not None:
        video = _opened_video(scene)
        _start_clock(scene, video)
        video.running = True
        return _request_frame(scene, video)
    path = source or str(scene.get(VIDEO_SOURCE, ""))
    if not path:
        raise InputError("no video is open; name a video file or camera:0")
    path = path if path.startswith("camera:") else bpy.path.abspath(path)
    if source:
        scene[VIDEO_SOURCE], scene[VIDEO_FRAME] = path, 0
    _open(scene, path, running=True)
    return f"opening {Path(path).name}"


def _open(scene: bpy.types.Scene, source: str, *, running: bool) -> None:
    """Opens a video on the bridge, then requests its first frame."""
    session, uid = current(), scene.session_uid
    video = VideoPlayback(_free_name(source, uid), running)

    def start(videos: list[dict[str, Any]]) -> None:
        hall = scene_with_uid(uid)
        info = next((info for info in videos if info["name"] == video.name), None)
        if hall is not None and info is not None:
            video.rate, video.frames = info["rate"] or DEFAULT_RATE, info["frames"]
            _start_clock(hall, video)
            _request_frame(hall, video)

    video.open_tag = session.ask(lambda bridge: bridge.open_video(video.name, source), start)
    session.hall(uid).video = video


def _start_clock(scene: bpy.types.Scene, video: VideoPlayback) -> None:
    """Lets the clock go on from the frame that is shown, and keyframes from the frame that the scene has reached."""
    second = int(scene.get(VIDEO_FRAME, 0)) / video.rate
    video.first_key_second, video.shown_second = video.first_key_second + second - video.shown_second, second
    video.started = time.monotonic() - second


def _free_name(source: str, uid: int) -> str:
    """Returns a name for the video on the bridge; two halls may play two files of one name."""
    name, number = Path(source).name, 2
    taken = {hall.video.name for other, hall in current().halls.items() if hall.video is not None and other != uid}
    while name in taken:
        name, number = f"{Path(source).name} {number}", number + 1
    return name


def pause_video(scene: bpy.types.Scene) -> str:
    """Pauses the hall's video at the frame that is shown; a frame that was requested already isn't shown.

    Returns a line that says the frame's number. Raises InputError if no video is open.
    """
    video = _video(scene)
    video.running = False
    _drop_requested_frame(scene, video)
    return f"paused at frame {scene.get(VIDEO_FRAME, 0)}"


def step_video(scene: bpy.types.Scene, by: int = 1) -> str:
    """Pauses the hall's video and shows the frame `by` frames later (earlier if negative), at most its first or last.

    Returns a line that says which input is run. Raises InputError if no video is open, or BridgeError.
    """
    video = _opened_video(scene)
    video.running = False
    _drop_requested_frame(scene, video)
    frame = max(0, int(scene.get(VIDEO_FRAME, 0)) + by)
    return show_video_frame(scene, min(frame, video.frames - 1) if video.frames else frame)


def show_video_frame(scene: bpy.types.Scene, frame: int) -> str:
    """Runs the hall's network on one frame of its video, counted from 0.

    Returns a line that says which input is run. Raises InputError if no video is open, or BridgeError.
    """
    name = _opened_video(scene).name
    scene[VIDEO_FRAME] = frame
    return show_input(scene, client.video(name, frame=frame))


def key_video(scene: bpy.types.Scene, keep: bool = True) -> str:
    """Inserts a keyframe for each frame of the video that is shown from now on, at the time it was due.

    The timeline then shows these frames again while the bridge is connected. keep: False ends it. Returns a line that
    says whether frames are keyed. Raises InputError if no video is open.
    """
    video = _video(scene)
    video.keyed, video.first_key, video.first_key_second = keep, scene.frame_current, video.shown_second
    if keep and not _has_action(scene):  # now, in the user's own step, and not with the first frame: for undo
        scene.animation_data_create().action = bpy.data.actions.new(f"{scene.name} film")
    return "shown frames are keyed on the timeline" if keep else "shown frames are no longer keyed"


def stop_video(scene: bpy.types.Scene) -> str:
    """Closes the hall's video, here and on the bridge; the last frame stays on the panels.

    Returns a line that says which video is closed, or that none was open.
    """
    scene.pop(VIDEO_SOURCE, None)
    video = current().close_video(scene.session_uid)
    if video is None:
        return "no video is open"
    _drop_requested_frame(scene, video)
    return f"{video.name} is closed"


def _drop_requested_frame(scene: bpy.types.Scene, video: VideoPlayback) -> None:
    """Shows the last complete frame again if a newer one was requested and isn't shown completely."""
    session, tag = current(), video.requested_tag
    shown, video.requested_tag = session.hall(scene.session_uid).shown, ""
    if tag and tag == scene.get(INPUT_TAG) and shown:
        scene[INPUT_TAG] = shown
        show_input_again(session, scene)
        timer.start()


def show_keyed_frame(scene: bpy.types.Scene) -> None:
    """Shows the video's frame that is keyed at the scene's current frame.

    In the background, and while an animation is rendered, wait until it is shown. Errors are kept for the interface.
    """
    session = current()
    if session.state != "ready" or not scene.get(NETWORK_NAME) or not _is_keyed(scene):
        return
    uid, requested = scene.session_uid, threading.Event()
    request = partial(_request_keyed_frame, uid, requested)
    try:
        if timer.in_main_thread():
            request()
        else:  # in a render's thread: the timer makes the request and shows the answer
            session.queue_calls([request])
        if _in_background() or session.rendering:
            timer.wait(lambda: bool(session.error) or (requested.is_set() and _is_settled(scene)), RENDER_WAIT_SECONDS)
    except InnerwalkError as error:
        session.report_error(error, [scene.session_uid])


def set_rendering(rendering: bool) -> None:
    """Sets whether pictures are being rendered; then each waits until the keyed frame is shown."""
    current().rendering = rendering


def _in_background() -> bool:
    """Returns whether Blender runs without a window."""
    return bool(bpy.app.background)


def _request_keyed_frame(uid: int, requested: threading.Event) -> None:
    """Requests the frame that is keyed, unless it was requested already or the video plays; then sets the event."""
    scene = scene_with_uid(uid)
    try:
        if scene is not None:
            _seek_keyed_frame(scene, current().video_of(uid))
    finally:
        requested.set()


def _seek_keyed_frame(scene: bpy.types.Scene, video: VideoPlayback | None) -> None:
    if video is None:
        _open(scene, scene[VIDEO_SOURCE], running=False)
        return
    frame = int(scene[VIDEO_FRAME])
    request = current().input_request(scene.get(INPUT_TAG, ""))
    wanted = (str(scene[NETWORK_NAME]), (client.video(video.name, frame=frame),))
    if video.rate and not video.running and (request is None or (request.network, request.inputs) != wanted):
        show_video_frame(scene, frame)


def _is_settled(scene: bpy.types.Scene) -> bool:
    """Returns whether the keyed frame is shown; also while the video plays, as then it never stays."""
    session = current()
    hall = session.halls.get(scene.session_uid, HallState())  # adds none: a render's thread may be asking
    playing = hall.video is not None and hall.video.running
    return playing or (not session.has_callbacks and hall.shown == scene.get(INPUT_TAG))


def _is_keyed(scene: bpy.types.Scene) -> bool:
    return _has_action(scene) and VIDEO_FRAME in scene and VIDEO_SOURCE in scene


def _has_action(scene: bpy.types.Scene) -> bool:
    return scene.animation_data is not None and scene.animation_data.action is not None


def _video(scene: bpy.types.Scene) -> VideoPlayback:
    video = current().video_of(scene.session_uid)
    if video is None:
        raise InputError("no video is open; name a video file or camera:0")
    return video


def _opened_video(scene: bpy.types.Scene) -> VideoPlayback:
    video = _video(scene)
    if not video.rate:
        raise InputError(f"{video.name} isn't open yet; try again in a moment")
    return video


def _request_frame(scene: bpy.types.Scene, video: VideoPlayback) -> str:
    """Requests the frame that is due now, or the one that the video is paused at."""
    if not video.running:
        return show_video_frame(scene, int(scene.get(VIDEO_FRAME, 0)))
    video.requested_second = max(0.0, time.monotonic() - video.started)
    line = show_input(scene, client.video(video.name, seconds=video.requested_second))
    video.requested_tag = scene[INPUT_TAG]
    return line


def _on_input(tag: str, recording: Recording | None) -> None:
    """Listener: goes on to the next frame where a frame is shown; pauses or closes the video where it has failed."""
    for uid, hall in list(current().halls.items()):
        video, scene = hall.video, scene_with_uid(uid)
        if video is None or scene is None:
            continue
        if recording is None and tag == video.open_tag:
            hall.video = None
        elif scene.get(INPUT_TAG) == tag and video.rate:  # otherwise it is a frame of an earlier video
            if recording is None:
                video.running, video.requested_tag = False, ""
            else:
                _on_frame(scene, video, recording.input_name, tag)


def _on_frame(scene: bpy.types.Scene, video: VideoPlayback, input_name: str, tag: str) -> None:
    """A frame is shown: note its number, key it, and schedule the request for the next one."""
    name, _, number = input_name.rpartition(", frame ")
    if name != video.name or not number.isdecimal():
        return
    scene[VIDEO_FRAME] = int(number)
    request = current().input_request(tag)
    if request is not None:  # by number, so that undo runs this frame again and not the one due then
        request.network, request.inputs = str(scene[NETWORK_NAME]), (client.video(name, frame=int(number)),)
    due = video.started + (int(video.requested_second * video.rate + ROUNDING) + 1) / video.rate
    if video.running:
        current().schedule(due, partial(_request_next_frame, scene.session_uid, tag))
    if tag == video.requested_tag:
        video.shown_second, video.requested_tag = video.requested_second, ""
        _insert_key(scene, video)


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


def _insert_key(scene: bpy.types.Scene, video: VideoPlayback) -> None:
    """Keys the frame that is shown, if frames are keyed."""
    if video.keyed and video.running:
        rate = scene.render.fps / scene.render.fps_base
        frame = video.first_key + round((video.shown_second - video.first_key_second) * rate)
        scene.keyframe_insert(f'["{VIDEO_FRAME}"]', frame=frame)
        scene.frame_end = max(scene.frame_end, frame)


LISTENERS.append(_on_input)
session_events.subscribe("frame_change_post", show_keyed_frame)
session_events.subscribe("render_init", lambda _: set_rendering(True))
session_events.subscribe("render_complete", lambda _: set_rendering(False))
session_events.subscribe("render_cancel", lambda _: set_rendering(False))
