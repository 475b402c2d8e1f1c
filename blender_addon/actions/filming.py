"""A film or a camera feeds the hall's network while a person looks or walks: played, paused, stepped, kept on the time
axis.

The next frame is asked for when the last one is shown, and it is the one that is due then: frames are dropped, never
queued.
"""

from __future__ import annotations

import time
from pathlib import Path

import bpy

from ...torch_bridge.client import film
from ...torch_bridge.errors import InputError
from ...torch_bridge.recording import Recording
from ..live import showing, timer
from ..live.session import Playing, current
from ..live.showing import LOOK
from .bridging import network_of, show_input

FILM, FRAME = "innerwalk_film", "innerwalk_frame"
"""Properties of a scene: the source of its film; the frame that is shown, which can be keyed."""


def play_film(scene: bpy.types.Scene, source: str = "") -> str:
    """Let the hall's network look at a video file of the bridge's machine, or at camera:0; without one, go on.

    Raises BridgeError or InputError.
    """
    network_of(scene)
    if not source:
        playing = _playing(scene)
        playing.started, playing.running = time.monotonic() - _seconds(scene, playing), True
        return _next(scene, playing)
    where = source if source.startswith("camera:") else bpy.path.abspath(source)
    scene[FILM], scene[FRAME] = where, 0
    _open(scene, where, 0.0, running=True)
    return f"{Path(where).name} begins"


def _open(scene: bpy.types.Scene, source: str, seconds: float, *, running: bool) -> None:
    """Open a film on the bridge; when it is there it goes on at so many seconds."""
    name, scene_name = Path(source).name, scene.name

    def opened(_: object) -> None:
        there = bpy.data.scenes.get(scene_name)
        if there is not None:
            playing = Playing(name, time.monotonic() - seconds, running)
            current().films[scene_name] = playing
            _next(there, playing)

    current().ask(lambda bridge: bridge.open_film(name, source), opened)
    for told, listener in ((showing.LISTENERS, _shown), (showing.FAILED, _failed)):
        if listener not in told:
            told.append(listener)


def pause_film(scene: bpy.types.Scene) -> str:
    """Stay at the frame that is shown. Raises InputError."""
    _playing(scene).running = False
    return f"paused at frame {scene.get(FRAME, 0)}"


def step_film(scene: bpy.types.Scene, by: int = 1) -> str:
    """Pause, and go some frames on or back. Raises InputError or BridgeError."""
    playing = _playing(scene)
    playing.running = False
    return show_film_frame(scene, max(0, int(scene.get(FRAME, 0)) + by))


def show_film_frame(scene: bpy.types.Scene, frame: int) -> str:
    """Look at the film's frame of this number. Raises InputError or BridgeError."""
    scene[FRAME] = frame
    return show_input(scene, film(_playing(scene).name, frame=frame))


def keep_film(scene: bpy.types.Scene, keep: bool = True) -> str:
    """Write what is seen on the time axis from now on: a key for each frame that is shown, at the time it was due.

    Afterwards the time line shows them again, the bridge being there. Raises InputError.
    """
    playing = _playing(scene)
    playing.kept, playing.first = keep, scene.frame_current
    if keep:
        playing.started = time.monotonic() - _seconds(scene, playing)
    return "what is seen is written on the time axis" if keep else "the time axis stays as it is"


def stop_film(scene: bpy.types.Scene) -> str:
    """Let go of the film; the last frame stays."""
    playing = current().films.pop(scene.name, None)
    scene.pop(FILM, None)
    if playing is None:
        return "no film is playing"
    current().ask(lambda bridge: bridge.close_film(playing.name), lambda _: None)
    return f"{playing.name} is closed"


def at_frame(scene: bpy.types.Scene) -> None:
    """The time axis has moved: show the film's frame that is keyed there. In the background, wait for it."""
    session, playing = current(), current().films.get(scene.name)
    if playing is None or playing.running or session.state != "ready" or not _keyed(scene):
        return
    show_film_frame(scene, int(scene[FRAME]))
    if bpy.app.background:
        tag = scene[LOOK]
        timer.wait(lambda: session.recalled(tag) is not None or bool(session.error), 60.0)


def _keyed(scene: bpy.types.Scene) -> bool:
    return scene.animation_data is not None and scene.animation_data.action is not None and FRAME in scene


def _playing(scene: bpy.types.Scene) -> Playing:
    found = current().films.get(scene.name)
    if found is None:
        raise InputError("no film is open; name a video file or camera:0")
    return found


def _next(scene: bpy.types.Scene, playing: Playing) -> str:
    if not playing.running:
        return show_film_frame(scene, int(scene.get(FRAME, 0)))
    return show_input(scene, film(playing.name, at=max(0.0, time.monotonic() - playing.started)))


def _seconds(scene: bpy.types.Scene, playing: Playing) -> float:
    """Where the frame that is shown lies on the film's own clock."""
    link = current().link
    films = {one["name"]: one for one in link.described.get("films", [])} if link is not None else {}
    rate = films.get(playing.name, {}).get("rate") or 25.0
    return int(scene.get(FRAME, 0)) / rate


def _shown(tag: str, made: Recording) -> None:
    """A frame is shown: note which, and ask for the one that is due now."""
    for name, playing in list(current().films.items()):
        scene = bpy.data.scenes.get(name)
        if scene is None:
            del current().films[name]
        elif scene.get(LOOK) == tag:
            _note(scene, playing, made.input_name)
            if playing.running:
                _next(scene, playing)


def _note(scene: bpy.types.Scene, playing: Playing, input_name: str) -> None:
    number = input_name.rpartition("frame ")[2]
    if not number.isdecimal():
        return
    scene[FRAME] = int(number)
    if playing.kept and playing.running:
        rate = scene.render.fps / scene.render.fps_base
        at = playing.first + round((time.monotonic() - playing.started) * rate)
        scene.keyframe_insert(f'["{FRAME}"]', frame=at)
        scene.frame_end = max(scene.frame_end, at)


def _failed(tag: str) -> None:
    """A frame that can't be shown ends the playing, not the film."""
    for name, playing in current().films.items():
        scene = bpy.data.scenes.get(name)
        if scene is not None and scene.get(LOOK) == tag:
            playing.running = False
