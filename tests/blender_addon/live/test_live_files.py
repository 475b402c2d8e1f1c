"""Live halls across undo, saved files, bridges that die, and an extension that is disabled."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

import innerwalk  # noqa: E402
from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live import hall_requests, timer  # noqa: E402
from innerwalk.blender_addon.live import session as sessions  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import INPUT_TAG, METHOD_TAG  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.paint import pictures  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client, recording  # noqa: E402
from innerwalk.torch_bridge.client import frames  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError  # noqa: E402

NETWORKS = {"object": live.OBJECT} | {name: live.own(name) for name in ("Gated", "Slow")}
DATA = {"objects": "concepts:object"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    with live.registered():
        yield tmp_path_factory.mktemp("bridge")


@pytest.fixture
def file(folder, torch_python) -> Path:
    """Open an empty Blender file that is connected to a bridge; returns the bridge's folder."""
    (folder / "hold").unlink(missing_ok=True)
    if current().state != "ready":
        live.start(torch_python, NETWORKS, DATA, folder)
    live.empty_file()
    current().error = ""
    yield folder
    (folder / "hold").unlink(missing_ok=True)
    (folder / "reached").unlink(missing_ok=True)


def placed(scene, **arguments) -> str:
    actions.place_input(scene, **arguments)
    actions.wait_for_bridge(scene)
    return scene.name


def recorded(network: str, *inputs) -> recording.Recording:
    with live.bridge() as bridge:
        return bridge.record(network, inputs)


def input_tags() -> list[str]:
    """Tags of the inputs that were requested, oldest first."""
    return [tag for tag in current().requests if current().input_request(tag)]


def act(name: str, **arguments) -> None:
    """Call an operator with its undo step, as the interface does, and wait until everything is shown."""
    assert getattr(bpy.ops.innerwalk, name)("EXEC_DEFAULT", True, **arguments) == {"FINISHED"}
    actions.wait_for_bridge(bpy.context.scene)


def undo() -> bpy.types.Scene:
    assert bpy.ops.ed.undo() == {"FINISHED"}
    actions.wait_for_bridge(store.halls()[0])
    return store.halls()[0]


def redo() -> bpy.types.Scene:
    assert bpy.ops.ed.redo() == {"FINISHED"}
    actions.wait_for_bridge(store.halls()[0])
    return store.halls()[0]


# Undo


@pytest.mark.parametrize("remembered", [1 << 30, 1])
def test_undo_and_redo_across_inputs(file, monkeypatch, remembered):
    """From memory, and where that is too small by running the input again."""
    monkeypatch.setattr(sessions, "MEMORY_BYTES", remembered)
    live.built("object")
    known = [recorded("object"), *(recorded("object", client.noise(seed)) for seed in (1, 2, 3))]
    bpy.ops.ed.undo_push(message="start")
    for seed in (1, 2, 3):
        act("place_input", noise=seed)
    assert sum(current().results_of(tag) is not None for tag in input_tags()) == (2 if remembered == 1 else 4)
    live.assert_shows(store.halls()[0], known[3])
    for expected in known[2::-1]:
        live.assert_shows(undo(), expected)
    for expected in known[1:]:
        live.assert_shows(redo(), expected)
    live.assert_shows(undo(), known[2])
    act("place_input", data="objects", index=3)
    live.assert_shows(store.halls()[0], recorded("object", client.item("objects", 3)))
    live.assert_shows(undo(), known[2])


def test_undo_across_methods(file):
    live.built("Gated")
    bpy.ops.ed.undo_push(message="start")
    act("place_input", noise=1)
    act("ask_method", method="occlusion", parameters='{"size": 0.5}')
    occluded = live.texels(store.halls()[0])
    act("place_input", noise=2)  # asks the method again
    again = live.texels(store.halls()[0])
    act("show_activations")
    live.assert_shows(store.halls()[0], recorded("Gated", client.noise(2)))
    scene = undo()
    assert live.equal(live.texels(scene), again) and store.read_appearance(scene).method == "occlusion"
    scene = undo()
    assert live.equal(live.texels(scene), occluded) and store.read_description(scene).input_name == "noise:1"
    live.assert_shows(undo(), recorded("Gated", client.noise(1)))
    scene = redo()
    assert live.equal(live.texels(scene), occluded)


def test_undo_to_a_method_of_some_layers_empties_the_other_panels(file):
    live.built("Gated")
    bpy.ops.ed.undo_push(message="start")
    act("place_input", noise=1)
    act("ask_method", method="occlusion", parameters='{"size": 0.5}', layers="b")
    occluded = live.texels(store.halls()[0])
    assert occluded["b"].any() and not occluded["norm"].any()
    act("show_activations")
    assert live.equal(live.texels(undo()), occluded)


def test_undo_while_an_input_is_on_its_way(file):
    live.built("Gated")
    bpy.ops.ed.undo_push(message="start")
    act("place_input", noise=1)
    (file / "hold").write_text("")
    bpy.ops.innerwalk.place_input("EXEC_DEFAULT", True, noise=2)
    live.until(lambda: (file / "reached").exists() and not timer.pump(0.01))
    bpy.ops.ed.undo()
    live.settled()
    live.assert_shows(store.halls()[0], recorded_later("Gated", file, client.noise(1)))
    live.until(lambda: current().results_of(input_tags()[-1]) is not None)
    live.assert_shows(store.halls()[0], recorded("Gated", client.noise(1)))
    live.assert_shows(redo(), recorded("Gated", client.noise(2)))


def recorded_later(network: str, folder: Path, *inputs) -> recording.Recording:
    (folder / "hold").unlink()
    return recorded(network, *inputs)


def test_undo_to_what_a_file_held_before_there_was_a_bridge(file, tmp_path):
    expected = recorded("object", client.noise(5))
    scene = create_hall(expected)
    bpy.context.window.scene = scene
    before = live.texels(scene)
    actions.follow(scene, "object")
    bpy.ops.ed.undo_push(message="start")
    act("place_input", noise=6)
    live.assert_shows(store.halls()[0], recorded("object", client.noise(6)))
    scene = undo()
    assert live.equal(live.texels(scene), before)
    live.assert_shows(scene, expected)
    live.assert_shows(redo(), recorded("object", client.noise(6)))


def test_forgotten_maps_are_an_error(file, monkeypatch):
    monkeypatch.setattr(sessions, "MEMORY_BYTES", 1)
    live.built("Slow")
    bpy.ops.ed.undo_push(message="start")
    for seed in (1, 2, 3):
        act("place_input", noise=seed)
    actions.leave_bridge()
    known = live.texels(store.halls()[0])
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    live.settled()
    assert current().error == "the maps that the hall showed then are no longer in memory; place the input again"
    assert live.equal(live.texels(store.halls()[0]), known)
    assert store.read_description(store.halls()[0]).input_name == "noise:3", "the words are those of the maps"


# Files


def test_a_saved_hall_is_whole_and_goes_on(file, tmp_path):
    hall = live.built("object")
    placed(hall, noise=4)
    expected = recorded("object", client.noise(4))
    actions.draw_shelf(hall, "objects", seed=3)
    actions.wait_for_bridge()
    shelf = [pictures.read_pixels(image) for image in bpy.data.images if image.get("innerwalk_picture") == "shelf"]
    assert len(shelf) == 18
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    placed(hall, noise=5)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "hall.blend").rename(moved / "other name.blend")
    bpy.ops.wm.open_mainfile(filepath=str(moved / "other name.blend"))
    hall = store.halls()[0]
    live.assert_shows(hall, expected)
    found = [pictures.read_pixels(image) for image in bpy.data.images if image.get("innerwalk_picture") == "shelf"]
    assert all(np.array_equal(image, other) for image, other in zip(found, shelf, strict=True))
    assert actions.network_of(hall) == "object" and INPUT_TAG not in hall
    placed(hall, noise=7)
    live.assert_shows(hall, recorded("object", client.noise(7)))
    for _ in range(2):
        bpy.ops.wm.save_mainfile()
        bpy.ops.wm.open_mainfile(filepath=str(moved / "other name.blend"))
        hall = store.halls()[0]
        live.assert_shows(hall, recorded("object", client.noise(7)))


def test_another_file_gets_nothing_that_was_asked_for_in_the_last(file, tmp_path):
    hall = live.built("Gated")
    placed(hall, noise=1)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    expected = recorded("Gated", client.noise(1))
    (file / "hold").write_text("")
    actions.place_input(hall, noise=2)
    actions.build_hall("Gated")
    live.until(lambda: (file / "reached").exists())
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    (file / "hold").unlink()
    live.until(lambda: not current().link.busy)
    recorded("Gated", client.noise(3))  # after the others
    live.until(lambda: not timer.pump(0.02))
    assert (
        len(store.halls()) == 1
        and not any(state.video for state in current().halls.values())
        and not current().has_callbacks
    )
    live.assert_shows(store.halls()[0], expected)


def test_tags_of_another_run_do_not_fit(file):
    """A hall from a file of another run keeps its tags, which no request of this run may have."""
    hall = live.built("Slow")
    assert sessions.Session().new_tag("look") != sessions.Session().new_tag("look")
    tag = hall[INPUT_TAG]
    assert tag.startswith("look ") and tag not in (sessions.Session().new_tag("look") for _ in range(50))


def test_a_file_that_shows_a_method_goes_on_with_activations(file, tmp_path):
    hall = live.built("Gated")
    actions.ask_method(hall, "occlusion", {"size": 0.5})
    actions.wait_for_bridge(hall)
    held = live.texels(hall)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    hall = store.halls()[0]
    assert live.equal(live.texels(hall), held) and hall_requests.method_of(hall) == "occlusion"
    placed(hall, noise=2)
    live.assert_shows(hall, recorded("Gated", client.noise(2)))
    assert store.read_appearance(hall).method == "activations"


# Bridges that die, and others


def kill() -> None:
    os.kill(current().link.child.process.pid, signal.SIGKILL)


def ended() -> None:
    live.until(lambda: current().state == "ended" and not timer.pump(0.02))
    assert "ended" in current().error and "SIGKILL" in current().error and "\n" not in current().error


def test_a_bridge_is_killed_while_it_records(file, torch_python):
    hall = live.built("Gated")
    placed(hall, noise=1)
    expected = recorded("Gated", client.noise(1))
    (file / "hold").write_text("")
    actions.place_input(hall, noise=2)
    live.until(lambda: (file / "reached").exists() and not live.equal(live.texels(hall), live.maps_of(expected)))
    kill()
    ended()
    live.until(lambda: hall[INPUT_TAG] == current().hall(hall.session_uid).shown)
    live.settled()
    live.assert_shows(hall, expected)
    with pytest.raises(BridgeError, match="the bridge isn't ready"):
        actions.place_input(hall, noise=3)
    live.assert_shows(hall, expected)
    (file / "hold").unlink()
    live.start(torch_python, NETWORKS, DATA, file)
    assert current().error == ""
    placed(hall, noise=3)
    live.assert_shows(hall, recorded("Gated", client.noise(3)))


def test_a_bridge_is_killed_in_the_middle_of_a_job(file, torch_python):
    hall = live.built("Gated")
    placed(hall, noise=1)
    (file / "hold").write_text("4")
    actions.ask_method(hall, "occlusion", {"size": 0.1})
    live.until(lambda: (file / "reached").exists() and current().job(hall[METHOD_TAG])["step"] == 3)
    kill()
    ended()
    live.until(lambda: not current().is_running(hall[METHOD_TAG]))
    assert current().job(hall[METHOD_TAG])["state"] == "failed"
    (file / "hold").unlink()
    live.start(torch_python, NETWORKS, DATA, file)
    actions.show_activations(hall)
    live.settled()
    live.assert_shows(hall, recorded("Gated", client.noise(1)))
    placed(hall, noise=2)
    actions.ask_method(hall, "occlusion", {"size": 0.5})
    actions.wait_for_bridge(hall)
    assert any(texels.any() for texels in live.texels(hall).values())


def test_an_idle_bridge_that_dies_is_noticed(file):
    kill()
    ended()
    with pytest.raises(BridgeError, match="SIGKILL"):
        actions.wait_for_bridge()


def test_leaving_while_an_input_is_on_its_way(file):
    hall = live.built("Gated")
    placed(hall, noise=1)
    expected, child = recorded("Gated", client.noise(1)), current().link.child
    (file / "hold").write_text("")
    actions.place_input(hall, noise=2)
    live.until(lambda: (file / "reached").exists() and not timer.pump(0.01))
    assert actions.leave_bridge() == "left the bridge"
    live.settled()
    live.assert_shows(hall, expected)
    assert current().state == "off" and child.process.wait(20) is not None
    with pytest.raises(BridgeError, match="no bridge; start one or join one"):
        actions.place_input(hall, noise=3)


def test_a_bridge_that_cannot_start(file, tmp_path):
    with pytest.raises(BridgeError, match="can't be started"):
        actions.start_bridge(str(tmp_path / "no python"), NETWORKS)
    with pytest.raises(BridgeError, match="no network is named"):
        actions.start_bridge(sys.executable, {})
    nothing = tmp_path / "python"
    nothing.write_text("#!/bin/sh\necho out of luck >&2\nexit 3\n")
    nothing.chmod(0o755)
    actions.start_bridge(str(nothing), NETWORKS)
    with pytest.raises(BridgeError, match=r"out of luck \(status 3\)"):
        actions.wait_for_bridge()
    assert current().state == "ended"


def test_a_network_that_cannot_be_built(file, torch_python):
    actions.start_bridge(torch_python, {"none": {"model": "own_networks:Nothing"}}, folder=str(file))
    with pytest.raises(BridgeError, match="no factory in own_networks 'Nothing'"):
        actions.wait_for_bridge()


def test_joining_a_bridge_that_runs(file, torch_python, tmp_path):
    connection = tmp_path / "bridge.json"
    root = Path(innerwalk.__file__).parent
    served = subprocess.Popen(
        [torch_python, "-m", "torch_bridge", "serve", "object", "--connection", str(connection)],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        live.until(lambda: connection.exists() and connection.read_text().endswith("}"))
        for change, message in (
            ({"token": "wrong"}, "token"),
            ({"protocol": 99}, "protocol 99"),
            ({"port": 1}, "reached"),
        ):
            wrong = tmp_path / "wrong.json"
            wrong.write_text(json.dumps(json.loads(connection.read_text()) | change))
            with pytest.raises(BridgeError, match=message):
                actions.join_bridge(wrong)
                actions.wait_for_bridge()
        with pytest.raises(BridgeError, match="can't be read"):
            actions.join_bridge(tmp_path / "nothing.json")
        actions.join_bridge(connection)
        actions.wait_for_bridge()
        hall = live.built("object")
        live.assert_shows(hall, recorded("object"))
        placed(hall, noise=1)
        actions.leave_bridge()
        assert served.poll() is None, "a bridge that was joined stays"
        info = json.loads(connection.read_text())
        with pytest.raises(BridgeError, match="no address"):
            actions.join_bridge(address="localhost:many")
        actions.join_bridge(address=f"localhost:{info['port']}", token=info["token"])
        actions.wait_for_bridge()
        placed(hall, noise=2)
        served.kill()
        served.wait()
        actions.place_input(hall, noise=3)
        with pytest.raises(BridgeError, match="has ended or can't be reached"):
            actions.wait_for_bridge(hall)
        live.settled()
        assert store.read_description(hall).input_name == "noise:2"
    finally:
        served.kill()
        served.wait()
        actions.leave_bridge()
    assert frames.PROTOCOL != 99


# Nothing piles up


def ours() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("innerwalk"))


def test_a_hundred_inputs_leave_nothing_behind(file, tmp_path):
    hall = live.built("Gated")
    sizes = [(16, 16), (30, 20), (20, 30)]
    paths = []
    for k, size in enumerate(sizes):
        paths.append(tmp_path / f"{k}.npy")
        np.save(paths[-1], np.random.default_rng(k).normal(size=(3, *size)).astype(np.float32))
    for k in range(6):
        placed(hall, **({"noise": k} if k % 2 else {"filepath": str(paths[k % 3])}))
    actions.ask_method(hall, "occlusion", {"size": 0.5, "stride": 1.0})
    actions.wait_for_bridge(hall)
    actions.show_activations(hall)
    live.settled()
    before, threads = live.counts(), ours()
    for k in range(100):
        placed(hall, **({"noise": k} if k % 2 else {"filepath": str(paths[k % 3])}))
        if k % 25 == 10:
            actions.ask_method(hall, "occlusion", {"size": 0.5, "stride": 1.0})
            actions.wait_for_bridge(hall)
            actions.show_activations(hall)
            live.settled()
    live.assert_shows(hall, recorded("Gated", client.noise(99)))
    assert live.counts() == before
    live.until(lambda: len(ours()) <= len(threads))  # at the start a thread may still have been ending
    assert len(input_tags()) <= sessions.MOST_REQUESTS + 2


def things() -> dict[str, object]:
    """Everything that an extension can leave behind in Blender."""
    kinds = [attribute for attribute in dir(bpy.types) if "INNERWALK" in attribute.upper()]
    handlers = {
        name: len(held) for name in dir(bpy.app.handlers) if isinstance(held := getattr(bpy.app.handlers, name), list)
    }
    owners = (bpy.types.Scene, bpy.types.WindowManager, bpy.types.Object, bpy.types.AddonPreferences)
    properties = [attribute for owner in owners for attribute in dir(owner) if "innerwalk" in attribute]
    return {
        "kinds": kinds,
        "handlers": handlers,
        "properties": properties,
        "counts": live.counts(),
        "threads": ours(),
        "timer": bpy.app.timers.is_registered(timer.tick),
        "listeners": len(hall_requests.LISTENERS),
    }


def test_coming_and_going_leaves_nothing(file, torch_python):
    child = current().link.child
    innerwalk.unregister()
    assert child.process.wait(20) is not None, "the bridge ends with the extension"
    assert current().state == "off"
    live.until(lambda: ours() == [])
    gc.collect()
    before = things()
    assert not before["kinds"] and not before["properties"] and not before["timer"]
    for _ in range(50):
        innerwalk.register()
        innerwalk.unregister()
    assert things() == before
    innerwalk.register()
    live.start(torch_python, NETWORKS, DATA, file)
    assert bpy.app.timers.is_registered(timer.tick)
    placed(live.built("Slow"), noise=1)
