"""A video on the timeline: its frames are keyed, and each rendered picture shows the frame that is keyed there.

Blender can't be told from Python to cancel a render. A picture that can't get its frame shows zeros instead of another
frame, and the error stays until `wait_for_bridge` raises it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import bpy

from ...torch_bridge import client
from ...torch_bridge.recording.errors import BridgeError, InnerwalkError, InputError
from ..live import timer
from ..live.hall_requests import connected_halls, is_shown, scene_with_uid, show_nothing
from ..live.hall_state import HallState, VideoPlayback
from ..live.session import current
from ..properties import INPUT_TAG, NETWORK_NAME, VIDEO_FRAME, VIDEO_SOURCE
from ..scene.hall import session_events, store
from ..scene.state.data_blocks import push_undo
from ..scene.state.keyframes import LAST_FRAME, find_curve, set_keys
from .bridge import network_of
from .methods import cancel_method
from .video import open_video, pause_video, show_video_frame
from .video_sources import CAMERA

RENDER_WAIT_SECONDS = 60.0
"""Seconds that a picture waits until the keyed frame is shown."""


def key_video(scene: bpy.types.Scene, source: str = "", first: int = 1, step: int = 1) -> str:
    """Keys a video frame by frame: its frames 0, step, 2·step, … at the scene's frames first, first + 1, ….

    Each key holds until the next. Earlier keys of videos are removed, and the scene's range, frame_start to frame_end,
    becomes the keyed frames. From then on the hall shows, at each frame of the scene, the frame of the video that is
    keyed there. In the background, and in renders, the scene waits until it is shown; where it can't be shown, panels
    show zeros and `wait_for_bridge` raises the error.
    source: a video file on the bridge's machine, as for `play_video`; "" for the one that is open or was last.
    Returns a line that says what is keyed, or that a file is opened to be keyed; errors of the file itself are raised
    by `wait_for_bridge`. Raises InputError for a camera, no video, a first frame below 0 or a step below 1, or
    BridgeError.
    """
    network_of(scene)
    if first < 0 or step < 1:
        raise InputError(f"first {first}, step {step}: a first frame from 0 on and a step from 1 on are needed")
    video = current().video_of(scene.session_uid) if not source else None
    source = source or str(scene.get(VIDEO_SOURCE, ""))
    if source.startswith(CAMERA):
        raise InputError(f"{source} has no frames that can be keyed; name a video file")
    if video is not None:
        return _key(scene, video, first, step)

    def key(hall: bpy.types.Scene, video: VideoPlayback) -> None:
        _key(hall, video, first, step)
        push_undo("Key Video")

    return f"opening {open_video(scene, source, key)} to key its frames"


def _key(scene: bpy.types.Scene, video: VideoPlayback, first: int, step: int) -> str:
    """Keys the frames of a video that is open, and shows the one at the scene's current frame. Raises InputError."""
    frames = range(0, video.frames, step)
    last = first + len(frames) - 1
    if last > LAST_FRAME:
        raise InputError(f"{len(frames)} frames from {first} on end after Blender's last frame, {LAST_FRAME}")
    if video.running:
        pause_video(scene)
    set_keys(scene, VIDEO_FRAME, first, frames)
    scene.frame_start, scene.frame_end = first, last
    _seek_keyed_frame(scene)
    return f"{len(frames)} frames of {video.name} are keyed at {first} to {last}"


def show_keyed_frame(scene: bpy.types.Scene) -> None:
    """Shows the video's frame that is keyed at the scene's current frame.

    In the background, and while an animation is rendered, waits until it is shown; if it can't be, panels show zeros.
    Errors are kept for the interface and for `wait_for_bridge`.
    """
    uid, waits = scene.session_uid, timer.in_background() or current().rendering
    if waits and _is_opening(scene):  # a video that may be keyed next
        _wait(lambda: _is_settled(scene))
    if not store.is_hall(scene) or keyed_frame(scene) is None or VIDEO_SOURCE not in scene:
        return
    if not waits:
        _request_keyed_frame(uid)
        return
    earlier = current().take_error([uid])
    _call_in_main_thread(partial(_request_keyed_frame, uid))
    _wait(lambda: _is_settled(scene))
    if not timer.in_main_thread():  # which may be showing an event that isn't finished
        _call_in_main_thread(lambda: None)
        _wait(lambda: _is_settled(scene))
    _call_in_main_thread(partial(_finish_keyed_frame, uid, earlier))


def keyed_frame(scene: bpy.types.Scene) -> int | None:
    """Returns the number of the video's frame that is keyed at the scene's current frame; None without keys."""
    curve = find_curve(scene, VIDEO_FRAME)
    return None if curve is None else round(curve.evaluate(scene.frame_current_final))


def set_rendering(rendering: bool) -> None:
    """Sets whether pictures are being rendered; then each waits until the keyed frame is shown."""
    current().rendering = rendering


def _call_in_main_thread(call: Callable[[], None]) -> None:
    """Calls a function that changes Blender's data; from a render's thread, the timer calls it where it runs."""
    if timer.in_main_thread() or not timer.is_running():  # without a bridge, the main thread changes nothing meanwhile
        call()
        return
    called = threading.Event()
    current().queue_calls([call, called.set])
    _wait(called.is_set)


def _wait(until: Callable[[], bool]) -> None:
    """Waits for something, at most RENDER_WAIT_SECONDS; what is shown then is checked by `_finish_keyed_frame`."""
    with suppress(BridgeError):
        timer.wait(until, RENDER_WAIT_SECONDS)


def _request_keyed_frame(uid: int) -> None:
    """Requests the frame that is keyed; an error is kept."""
    scene = scene_with_uid(uid)
    try:
        if scene is not None:
            _seek_keyed_frame(scene)
    except InnerwalkError as error:
        current().report_error(error, [uid])


def _seek_keyed_frame(scene: bpy.types.Scene) -> None:
    """Requests the frame that is keyed, unless it was requested already or the video plays in a window."""
    session, frame = current(), keyed_frame(scene)
    hall = session.hall(scene.session_uid)
    if hall.video is not None and hall.video.running:
        if not session.rendering:
            return
        pause_video(scene)
    if frame is None or (session.state != "ready" and _shows(scene, frame)):
        return
    network_of(scene)
    if hall.video is None:
        if hall.opening is None:
            open_video(scene, str(scene[VIDEO_SOURCE]), lambda hall, _: _seek_keyed_frame(hall))
        return
    request = session.input_request(str(scene.get(INPUT_TAG, "")))
    wanted = (str(scene[NETWORK_NAME]), (client.video(hall.video.name, frame=frame),))
    if request is None or (request.network, request.inputs) != wanted:
        show_video_frame(scene, frame)


def _is_settled(scene: bpy.types.Scene) -> bool:
    """Returns whether nothing more comes for this hall and those that depend on it."""
    session = current()
    if session.state != "ready":
        return True
    return not _is_opening(scene) and all(is_shown(session, hall) for hall in connected_halls(scene))


def _is_opening(scene: bpy.types.Scene) -> bool:
    """Returns whether a video is being opened for the hall."""
    return current().halls.get(scene.session_uid, HallState()).opening is not None


def _finish_keyed_frame(uid: int, earlier: InnerwalkError | None) -> None:
    """Shows zeros where the keyed frame isn't shown; keeps its error, or the earlier one that no script has seen."""
    scene, session = scene_with_uid(uid), current()
    frame = keyed_frame(scene) if scene is not None else None
    if scene is None or frame is None:
        return
    error = session.take_error([uid])
    if not _shows(scene, frame):
        late = f"no answer within {RENDER_WAIT_SECONDS:g} s"
        other = f"the bridge gave {store.read_description(scene).input_name}"  # of a damaged file
        reason = error or (other if _is_settled(scene) else late)
        name = f"{Path(str(scene[VIDEO_SOURCE])).name}, frame {frame}"
        cancel_method(scene)  # maps that came later would be of another frame
        show_nothing(session, scene, f"{name} is missing")
        error = BridgeError(f"{name}, keyed at {scene.frame_current}, isn't shown: {reason}")
    if found := earlier or error:
        session.report_error(found, [uid])


def _shows(scene: bpy.types.Scene, frame: int) -> bool:
    """Returns whether the hall shows this frame of its video and awaits nothing, also in a reopened file."""
    name, _, number = store.read_description(scene).input_name.rpartition(", frame ")
    video, file = current().video_of(scene.session_uid), Path(str(scene[VIDEO_SOURCE])).name
    of_video = name == video.name if video is not None else name == file or name.startswith(f"{file} ")
    return of_video and number == str(frame) and is_shown(current(), scene)


session_events.subscribe("frame_change_post", show_keyed_frame)
session_events.subscribe("render_init", lambda _: set_rendering(True))
session_events.subscribe("render_complete", lambda _: set_rendering(False))
session_events.subscribe("render_cancel", lambda _: set_rendering(False))
