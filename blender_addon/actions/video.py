"""A film or a camera feeds the hall's network while a person looks or walks: played, paused, stepped, kept on the time
axis.

The next frame is asked for when the last one is shown and another is due, and it is the one that is due then: frames
are dropped, never queued. (Asked for sooner, while the last one still went onto the panels, ResNet-50 on two cores saw
hardly more of them, each of them later.)
"""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge.client import video
from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import InnerwalkError, InputError
from ..live import (hall_requests, timer)
from ..live.session import Playing, current
from ..properties import INPUT_TAG, NETWORK_NAME, VIDEO_FRAME, VIDEO_SOURCE
from .bridge import network_of, show_input

USUAL = 25.0
"""Frames a second of a camera that doesn't say."""
NEAR = 1e-3
"""Share of a frame by which a clock may be short of it."""
PATIENCE = 60.0
"""Seconds that a picture waits for its frame, where nobody looks."""


def play_film(scene: bpy.types.Scene, source: str = "") -> str:
    """Let the hall's network look at a video file of the bridge's machine, or at camera:0; without one, go on.

    Raises BridgeError or InputError.
    """
    network_of(scene)
    if not source and scene.name in current().films:
        playing = _opened(scene)
        _begin(scene, playing)
        playing.running = True
        return _next(scene, playing)
    where = source or str(scene.get(VIDEO_SOURCE, ""))
    if not where:
        raise InputError("no film is open; name a video file or camera:0")
    where = where if where.startswith("camera:") else bpy.path.abspath(where)
    if source:
        scene[VIDEO_SOURCE], scene[VIDEO_FRAME] = where, 0
    _open(scene, where, running=True)
    return f"{Path(where).name} begins"


def _open(scene: bpy.types.Scene, source: str, *, running: bool) -> None:
    """Open a film on the bridge; when it is there the hall looks at it."""
    session, scene_name = current(), scene.name
    playing = Playing(_name(source, scene_name), running)

    def opened(films: list[dict[str, Any]]) -> None:
        there = hall_requests.scene_named(scene_name)
        told = next((one for one in films if one["name"] == playing.name), None)
        if there is not None and told is not None:
            playing.rate, playing.frames = told["rate"] or USUAL, told["frames"]
            _begin(there, playing)
            _next(there, playing)

    playing.tag = session.ask(lambda bridge: bridge.open_video(playing.name, source), opened)
    session.films[scene_name] = playing


def _begin(scene: bpy.types.Scene, playing: Playing) -> None:
    """Now is the second of the frame that is shown; what is kept goes on where it was."""
    second = int(scene.get(VIDEO_FRAME, 0)) / playing.rate
    playing.began, playing.seen = playing.began + second - playing.seen, second
    playing.started = time.monotonic() - second


def _name(source: str, scene_name: str) -> str:
    """What the film is called on the bridge; two halls may look at two files of one name."""
    name, number = Path(source).name, 2
    taken = {one.name for where, one in current().films.items() if where != scene_name}
    while name in taken:
        name, number = f"{Path(source).name} {number}", number + 1
    return name


def pause_film(scene: bpy.types.Scene) -> str:
    """Stay at the frame that is shown; the next one, if it is on its way, is dropped. Raises InputError."""
    playing = _playing(scene)
    playing.running = False
    _stay(scene, playing)
    return f"paused at frame {scene.get(VIDEO_FRAME, 0)}"


def step_film(scene: bpy.types.Scene, by: int = 1) -> str:
    """Pause, and go some frames on or back, no further than the film goes. Raises InputError or BridgeError."""
    playing = _opened(scene)
    playing.running = False
    _stay(scene, playing)
    frame = max(0, int(scene.get(VIDEO_FRAME, 0)) + by)
    return show_film_frame(scene, min(frame, playing.frames - 1) if playing.frames else frame)


def show_film_frame(scene: bpy.types.Scene, frame: int) -> str:
    """Look at the film's frame of this number. Raises InputError or BridgeError."""
    name = _opened(scene).name
    scene[VIDEO_FRAME] = frame
    return show_input(scene, video(name, frame=frame))


def keep_film(scene: bpy.types.Scene, keep: bool = True) -> str:
    """Write what is seen on the time axis from now on: a key for each frame that is shown, at the time it was due.

    Afterwards the time line shows them again, the bridge being there. Raises InputError.
    """
    playing = _playing(scene)
    playing.kept, playing.first, playing.began = keep, scene.frame_current, playing.seen
    if keep and not _has_action(scene):  # now, in a person's action, and not with the first frame: undo must know of it
        scene.animation_data_create().action = bpy.data.actions.new(f"{scene.name} film")
    return "what is seen is written on the time axis" if keep else "the time axis stays as it is"


def stop_film(scene: bpy.types.Scene) -> str:
    """Let go of the film; the last frame stays."""
    playing = current().films.pop(scene.name, None)
    scene.pop(VIDEO_SOURCE, None)
    if playing is None:
        return "no film is playing"
    _stay(scene, playing)
    if current().state == "ready":
        current().ask(lambda bridge: bridge.close_video(playing.name), lambda _: None)
    return f"{playing.name} is closed"


def _stay(scene: bpy.types.Scene, playing: Playing) -> None:
    """A frame that was asked for and isn't shown whole doesn't come: the last one is shown again."""
    session, tag = current(), playing.asked
    shown, playing.asked = session.shown.get(scene.session_uid), ""
    if tag and tag == scene.get(INPUT_TAG) and shown is not None:
        scene[INPUT_TAG] = shown
        hall_requests.show_input_again(session, scene)
        timer.start()


def at_frame(scene: bpy.types.Scene) -> None:
    """The time axis has moved: show the film's frame that is keyed there. In the background, and where an animation is
    rendered, wait for it.
    """
    session = current()
    if session.state != "ready" or not scene.get(NETWORK_NAME) or not _keyed(scene):
        return
    name, asked = scene.name, threading.Event()
    follow = partial(_follow, name, asked)
    try:
        if timer.is_ours():
            follow()
        else:  # a render's thread: what is asked and shown is the timer's
            session.later([follow])
        if _alone() or session.renders:
            timer.wait(lambda: bool(session.error) or (asked.is_set() and _settled(scene)), PATIENCE)
    except InnerwalkError as error:
        session.error = str(error)


def render_begins(begins: bool) -> None:
    """Whether pictures are rendered from now on: each waits for its frame's maps."""
    current().renders = begins


def _alone() -> bool:
    """Whether nobody looks."""
    return bool(bpy.app.background)


def _follow(name: str, asked: threading.Event) -> None:
    """Look at the frame that is keyed, unless it is looked at already or the film plays."""
    scene = hall_requests.scene_named(name)
    try:
        if scene is not None:
            _look(scene, current().films.get(name))
    finally:
        asked.set()


def _look(scene: bpy.types.Scene, playing: Playing | None) -> None:
    if playing is None:
        _open(scene, scene[VIDEO_SOURCE], running=False)
        return
    wanted = (str(scene[NETWORK_NAME]), (video(playing.name, frame=int(scene[VIDEO_FRAME])),))
    if playing.rate and not playing.running and current().looked.get(scene.get(INPUT_TAG)) != wanted:
        show_film_frame(scene, int(scene[VIDEO_FRAME]))


def _settled(scene: bpy.types.Scene) -> bool:
    session, playing = current(), current().films.get(scene.name)
    running = playing is not None and playing.running  # then it never is
    return running or not session.waits and session.shown.get(scene.session_uid) == scene.get(INPUT_TAG)


def _keyed(scene: bpy.types.Scene) -> bool:
    return _has_action(scene) and VIDEO_FRAME in scene


def _has_action(scene: bpy.types.Scene) -> bool:
    return scene.animation_data is not None and scene.animation_data.action is not None


def _playing(scene: bpy.types.Scene) -> Playing:
    found = current().films.get(scene.name)
    if found is None:
        raise InputError("no film is open; name a video file or camera:0")
    return found


def _opened(scene: bpy.types.Scene) -> Playing:
    found = _playing(scene)
    if not found.rate:
        raise InputError(f"{found.name} isn't open yet")
    return found


def _next(scene: bpy.types.Scene, playing: Playing) -> str:
    """The frame that is due now, or that the film is paused at."""
    if not playing.running:
        return show_film_frame(scene, int(scene.get(VIDEO_FRAME, 0)))
    playing.due = max(0.0, time.monotonic() - playing.started)
    told = show_input(scene, video(playing.name, seconds=playing.due))
    playing.asked = scene[INPUT_TAG]
    return told


def _heard(tag: str, made: Recording | None) -> None:
    """A frame is shown: note which, and ask for the next when it is due; or it can't be, and the film stops."""
    for name, playing in list(current().films.items()):
        scene = hall_requests.scene_named(name)
        if scene is None or (made is None and tag == playing.tag):
            del current().films[name]
        elif scene.get(INPUT_TAG) == tag and playing.rate:  # else that is of a film before
            if made is None:
                playing.running, playing.asked = False, ""
            else:
                _note(scene, playing, made.input_name, tag)


def _due(name: str, tag: str) -> None:
    """Ask for the next frame, unless something else was asked for since."""
    scene, playing = hall_requests.scene_named(name), current().films.get(name)
    if scene is None or playing is None or not playing.running or scene.get(INPUT_TAG) != tag:
        return
    try:
        _next(scene, playing)
    except InnerwalkError:
        playing.running = False
        raise


def _note(scene: bpy.types.Scene, playing: Playing, input_name: str, tag: str) -> None:
    """Which frame is shown; undo can ask for that one again, and not for what is due then."""
    name, _, number = input_name.rpartition(", frame ")
    if name != playing.name or not number.isdecimal():
        return
    scene[VIDEO_FRAME] = int(number)
    current().looked[tag] = str(scene[NETWORK_NAME]), (video(name, frame=int(number)),)
    due = playing.started + (int(playing.due * playing.rate + NEAR) + 1) / playing.rate
    if playing.running:
        current().at(due, partial(_due, scene.name, tag))
    if tag == playing.asked:
        playing.seen, playing.asked = playing.due, ""
        _key(scene, playing)


def _key(scene: bpy.types.Scene, playing: Playing) -> None:
    """Write the frame that is shown on the time axis, where that is kept."""
    if playing.kept and playing.running:
        rate = scene.render.fps / scene.render.fps_base
        at = playing.first + round((playing.seen - playing.began) * rate)
        scene.keyframe_insert(f'["{VIDEO_FRAME}"]', frame=at)
        scene.frame_end = max(scene.frame_end, at)


hall_requests.LISTENERS.append(_heard)
