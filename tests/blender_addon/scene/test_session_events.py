"""What halls need from Blender's events is there in plain Python, once, and goes with the last hall."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.properties import INPUT_TAG  # noqa: E402
from innerwalk.blender_addon.scene.hall import session_events, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402

IMAGES = """
import hashlib, json, os, sys
import bpy
import numpy as np

def digest(image):
    pixels = np.zeros(4 * image.size[0] * image.size[1], np.float32)
    image.pixels.foreach_get(pixels)
    return hashlib.sha256(pixels).hexdigest()

def report():
    found = {image.name: digest(image) for image in bpy.data.images if image.users and image.size[0]}
    print("FOUND", json.dumps(found), flush=True)
    os._exit(0)  # Blender 4.5 may wait for its own threads for ever
"""
SAVE = (
    IMAGES
    + """
from innerwalk.blender_addon.scene.hall import create_hall
from innerwalk.torch_bridge import recording
create_hall(recording.load(sys.argv[1]))
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[2])
report()
"""
)
OPEN = (
    IMAGES
    + """
sys.modules["innerwalk"] = None
bpy.ops.wm.open_mainfile(filepath=sys.argv[2])
report()
"""
)


def images_in_a_fresh_process(code: str, *arguments: Path, path: str | None = None) -> dict[str, str]:
    environment = os.environ if path is None else os.environ | {"PYTHONPATH": path}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    run = subprocess.run(command, env=environment, cwd=os.sep, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.split("FOUND ")[1].splitlines()[0])  # Blender may print further lines


def installed() -> dict[str, int]:
    """How often each of our handlers is in Blender's lists."""
    return {
        event: getattr(bpy.app.handlers, event).count(handler) for event, handler in session_events.HANDLERS.items()
    }


EVERYTHING = dict.fromkeys(session_events.HANDLERS, 1)
WATCHING = {event: int(event in session_events.WATCHED) for event in session_events.HANDLERS}


@pytest.fixture
def hall(empty_scene, recorded):
    session_events.update_handlers()  # an extension may have been disabled in this process
    return create_hall(rec.load(recorded))


def test_a_hall_saved_in_plain_python_keeps_its_images(recorded, tmp_path):
    saved = images_in_a_fresh_process(SAVE, recorded, tmp_path / "hall.blend")
    assert len(saved) > 8 and len(set(saved.values())) > 8
    assert images_in_a_fresh_process(OPEN, recorded, tmp_path / "hall.blend", path="") == saved


def test_handlers_come_with_the_first_hall_and_go_with_the_last(hall, recorded, tmp_path):
    assert installed() == EVERYTHING
    create_hall(rec.load(recorded))
    assert installed() == EVERYTHING
    save_hall(hall, tmp_path / "hall.blend")
    live.empty_file()
    assert installed() == WATCHING
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    assert installed() == EVERYTHING
    live.empty_file()
    with bpy.data.libraries.load(str(tmp_path / "hall.blend")) as (source, wanted):
        wanted.scenes = source.scenes
    assert installed() == EVERYTHING


def test_the_extension_adds_none_twice_and_removes_all(hall, monkeypatch):
    frames = []
    monkeypatch.setitem(session_events.SUBSCRIBERS, "frame_change_post", [lambda scene: frames.append(scene.name)])
    with live.registered():
        assert installed() == EVERYTHING
        hall.frame_set(5)
    assert frames == [hall.name]
    assert installed() == dict.fromkeys(session_events.HANDLERS, 0)


def test_an_extension_that_is_enabled_later_hands_an_open_hall_over(hall, tmp_path):
    session_events.remove_handlers()
    with live.registered():
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
        assert installed() == EVERYTHING
        assert all(image.packed_file for image in bpy.data.images if "innerwalk_raw" in image)


def test_a_reopened_hall_waits_for_no_request_of_another_run(hall, tmp_path):
    hall[INPUT_TAG] = "look 1 of another run"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    assert INPUT_TAG not in store.halls()[0]


def test_undo_in_plain_python_shows_the_maps_of_that_step(hall, monkeypatch):
    calls = []
    monkeypatch.setitem(session_events.SUBSCRIBERS, "undo_post", [lambda _: calls.append("undo")])
    monkeypatch.setitem(session_events.SUBSCRIBERS, "redo_post", [lambda _: calls.append("redo")])
    bpy.ops.ed.undo_push(message="before")
    hall["number"] = np.pi
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    bpy.ops.ed.redo()
    assert calls == ["undo", "redo"]
