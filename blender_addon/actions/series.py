"""A series as what a hall shows: opened, keyed on the timeline, and recorded from a video.

Whatever is rendered or played, the hall shows the entry that is keyed at the frame.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import bpy

from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import BridgeError, InnerwalkError, InputError
from ..live import timer
from ..live.hall_requests import LISTENERS, input_tag, run_options, scene_with_uid
from ..live.series_recording import SeriesJob, record_video_series
from ..live.session import current
from ..properties import SERIES_FOLDER, VIDEO_SOURCE
from ..scene.hall import series as shown_series
from ..scene.hall import session_events, store
from ..scene.hall.stored_paths import CAMERA, absolute_path
from ..scene.state.data_blocks import push_undo
from .bridge import network_of
from .methods import cancel_method
from .video import free_video_name, pause_video

CALL_SECONDS = 60.0
"""Seconds that a render's thread waits until the main thread has shown an entry."""


def open_series(scene: bpy.types.Scene, directory: Path | str) -> str:
    """Opens a series in a folder for a hall of its network, and shows its first entry.

    Returns a line that says what it holds. Raises RecordingError, or SceneError for a series of another network.
    """
    session = current()
    input_tag(session, scene)  # keeps what the hall holds, for undo
    cancel_method(scene)
    if (video := session.video_of(scene.session_uid)) is not None and video.running:
        pause_video(scene)
    series = shown_series.open_series(scene, directory)
    return f"{series.folder.name}: {len(series)} entries along {series.axis}"


def close_series(scene: bpy.types.Scene) -> str:
    """Closes a hall's series and removes its keys; the hall keeps what it shows. Returns a line. Raises SceneError."""
    name = Path(str(shown_series.stored_folder(scene))).name
    shown_series.close_series(scene)
    return f"{name} is closed"


def show_position(scene: bpy.types.Scene, position: int) -> str:
    """Shows an entry of the hall's series, counted from 0; where it is keyed, the scene goes to its first frame.

    An entry that isn't keyed stays until the scene's frame changes. Returns a line that names it. Raises SceneError for
    no series, or RecordingError.
    """
    shown_series.show_position(scene, position)
    frame = shown_series.frame_of(scene, position)
    if frame is not None and shown_series.position_at(scene, scene.frame_current_final) != position:
        scene.frame_set(math.ceil(frame))
    return f"{position}: {shown_series.series_of(scene).labels[position]}"


def key_series(scene: bpy.types.Scene, first: int = 1, step: int = 1) -> str:
    """Keys all entries of the hall's series on the timeline, each for `step` frames of the scene from `first` on.

    Earlier keys are removed, and the scene's range, frame_start to frame_end, becomes the keyed frames. Returns a line
    that says what is keyed. Raises InputError, SceneError for no series, or RecordingError.
    """
    frames = shown_series.key_series(scene, first, step)
    return f"{len(frames) // step} entries are keyed at {first} to {frames[-1]}"


def record_series(
    scene: bpy.types.Scene, directory: Path | str, source: str = "", first: int = 0, step: int = 1
) -> str:
    """Runs the hall's network on frames of a video, writes a series of them, then opens it and keys it from frame 1.

    Returns at once. directory: folder of the series. source: a video file on the bridge's machine; "" for the one that
    is open or was last. first, step: frames first, first + step, … of the video are recorded. Returns a line that says
    so; errors of the file itself are raised by `wait_for_bridge`. Raises InputError or BridgeError.
    """
    network, session = network_of(scene), current()
    state = session.hall(scene.session_uid)
    if first < 0 or step < 1:
        raise InputError(f"first {first}, step {step}: a first frame from 0 on and a step from 1 on are needed")
    if not str(directory):
        raise InputError("the series' folder has no name; name one")
    if state.series is not None:
        raise InputError(f"a series of {state.series.video} is being recorded; stop it first, or wait")
    source = source or str(scene.get(VIDEO_SOURCE, ""))
    if not source or source.startswith(CAMERA):
        raise InputError(f"{source or 'no video'} has no frames that can be recorded; name a video file")
    path = absolute_path(source)
    is_open = state.video is not None and absolute_path(str(scene.get(VIDEO_SOURCE, ""))) == path
    name = state.video.name if is_open else free_video_name(path)
    job = SeriesJob(
        network, name, "" if is_open else path, Path(absolute_path(str(directory))), first, step, run_options(scene)
    )
    finish = partial(_open_recorded, scene.session_uid)
    job.tag = session.ask(lambda bridge: record_video_series(bridge, job), finish, apart=True)
    state.series = job
    timer.start()
    return f"recording {Path(path).name} as a series"


def stop_recording(scene: bpy.types.Scene) -> str:
    """Ends the recording of a series after the next frame; what is recorded is opened. Returns a line."""
    job = current().hall(scene.session_uid).series
    if job is None:
        return "no series is being recorded"
    job.stopped = True
    return f"stopping after frame {job.done} of {job.count}"


def _open_recorded(uid: int, job: SeriesJob) -> None:
    """Opens and keys a series that was recorded for a hall."""
    current().hall(uid).series = None
    scene = scene_with_uid(uid)
    if scene is None or job.done == job.left_out:
        return
    open_series(scene, job.folder)
    key_series(scene)
    push_undo("Record Series")


def _on_failure(tag: str, recording: Recording | None) -> None:
    """Listener: forgets the recording of a series that has failed."""
    for state in current().halls.values():
        if recording is None and state.series is not None and state.series.tag == tag:
            state.series = None


def show_keyed_position(scene: bpy.types.Scene) -> None:
    """Shows what is keyed at the scene's current frame, in all halls with a series that the scene shows.

    A hall whose series can't be shown stays as it is; the error is kept for the interface and for `wait_for_bridge`.
    """
    for hall in store.shown_halls(scene, SERIES_FOLDER):
        _call_in_main_thread(partial(_show_at, hall.session_uid, scene.frame_current_final))


def _show_at(uid: int, frame: float) -> None:
    scene, session = scene_with_uid(uid), current()
    if scene is None:
        return
    try:
        if (video := session.video_of(uid)) is not None and video.running:
            pause_video(scene)
        shown_series.show_position(scene, shown_series.position_at(scene, frame))
    except InnerwalkError as error:
        session.report_error(error, [uid])


def _call_in_main_thread(call: Callable[[], None]) -> None:
    """Calls a function that changes Blender's data; from a render's thread, the timer calls it where it runs."""
    if timer.in_main_thread() or not timer.is_running():  # without a bridge, the main thread changes nothing meanwhile
        call()
        return
    called = threading.Event()
    current().queue_calls([call, called.set])
    with suppress(BridgeError):
        timer.wait(called.is_set, CALL_SECONDS)


LISTENERS.append(_on_failure)
session_events.subscribe("frame_change_post", show_keyed_position)
