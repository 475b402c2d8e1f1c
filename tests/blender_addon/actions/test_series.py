"""A series that is recorded from a video through a bridge: each entry equals a plain run of the network."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions import series as series_actions  # noqa: E402
from innerwalk.blender_addon.live import timer  # noqa: E402
from innerwalk.blender_addon.live.series_recording import SeriesJob, record_video_series  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import SERIES_FOLDER, VIDEO_SOURCE  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.tests.support.clips import write_clip  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording import load_series  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InputError, SceneError  # noqa: E402

FRAMES = 8
NETWORKS = {"Gated": live.own("Gated"), "Moody": live.own("Moody")}


@pytest.fixture(scope="module")
def folder(torch_python, tmp_path_factory) -> Path:
    """The bridge's folder, with a video."""
    folder = tmp_path_factory.mktemp("films")
    write_clip(torch_python, folder / "clip.mp4", FRAMES, 10)
    live.empty_file()
    live.start(torch_python, NETWORKS, {}, folder)
    yield folder
    actions.leave_bridge()


@pytest.fixture
def hall(folder):
    live.empty_file()
    yield live.built("Gated")
    (folder / "hold").unlink(missing_ok=True)
    (folder / "reached").unlink(missing_ok=True)
    for found in store.halls():
        actions.stop_video(found)
    live.until(lambda: not (current().has_callbacks or current().link.busy))
    current().take_error()


def record(scene, directory: Path, source: Path | str, **arguments) -> None:
    assert (
        actions.record_series(scene, directory, str(source), **arguments)
        == f"recording {Path(source).name} as a series"
    )
    actions.wait_for_bridge(scene)


def plain_run(folder: Path, number: int):
    """What the network does with a frame of the video."""
    with live.bridge() as bridge:
        is_open = "clip.mp4" in [video["name"] for video in bridge.describe()["films"]]
        if not is_open:
            bridge.open_video("clip.mp4", str(folder / "clip.mp4"))
        recording = bridge.record("Gated", [client.video("clip.mp4", frame=number)])
        if not is_open:
            bridge.close_video("clip.mp4")
    return recording


@pytest.mark.parametrize(("first", "step"), [(0, 1), (1, 3), (7, 99)])
def test_each_frame_shows_a_plain_run_of_the_network(hall, folder, tmp_path, first, step):
    record(hall, tmp_path / "s", folder / "clip.mp4", first=first, step=step)
    numbers = range(first, FRAMES, step)
    series = load_series(tmp_path / "s")
    assert series.labels == tuple(f"frame {number}" for number in numbers) and series.rate == 10 / step
    assert hall[SERIES_FOLDER] == str(tmp_path / "s")
    assert (hall.frame_start, hall.frame_end) == (1, len(numbers))
    for frame, number in enumerate(numbers, 1):
        hall.frame_set(frame)
        live.assert_shows(hall, plain_run(folder, number), tmp_path / "s")
    with live.bridge() as bridge:
        assert bridge.describe()["films"] == [], "and the video is closed"


def test_the_open_video_is_recorded_and_stays_open(hall, folder, tmp_path):
    actions.play_video(hall, str(folder / "clip.mp4"))
    actions.wait_for_bridge(hall)
    actions.record_series(hall, tmp_path / "s", step=4)
    actions.wait_for_bridge(hall)
    hall.frame_set(2)
    live.assert_shows(hall, plain_run(folder, 4), tmp_path / "s")
    actions.step_video(hall, 1)
    actions.wait_for_bridge(hall)
    live.assert_shows(hall, plain_run(folder, 1))
    hall.frame_set(1)
    live.assert_shows(hall, plain_run(folder, 0), tmp_path / "s")


def test_it_goes_on_without_the_bridge_in_a_reopened_file(hall, folder, tmp_path, torch_python):
    record(hall, tmp_path / "s", folder / "clip.mp4")
    shown = [plain_run(folder, number) for number in (6, 2)]
    actions.leave_bridge()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    (scene,) = store.halls()
    for frame, own in zip((7, 3), shown, strict=True):
        scene.frame_set(frame)
        live.assert_shows(scene, own, tmp_path / "s")
    live.start(torch_python, NETWORKS, {}, folder)
    actions.follow(scene, "Gated")
    actions.place_input(scene, noise=3)
    actions.wait_for_bridge(scene)
    assert store.read_description(scene).input_name.startswith("noise")
    scene.frame_set(7)
    live.assert_shows(scene, shown[0], tmp_path / "s")


def test_an_input_that_fails_leaves_the_entry(hall, folder, tmp_path):
    record(hall, tmp_path / "s", folder / "clip.mp4")
    hall.frame_set(5)
    with live.bridge() as bridge:
        own = plain_run(folder, 4)
        actions.show_input(hall, client.video("gone", frame=1))
        with pytest.raises(Exception, match="no video 'gone'"):
            actions.wait_for_bridge(hall)
        assert bridge.describe()["films"] == []
    live.settled()
    live.assert_shows(hall, own)  # what the hall held, with its own peaks until the frame changes


def test_a_recording_that_is_stopped_is_opened_as_far_as_it_is(hall, folder, tmp_path):
    (folder / "hold").write_text("3")
    actions.record_series(hall, tmp_path / "s", str(folder / "clip.mp4"))
    live.until((folder / "reached").exists)
    with pytest.raises(InputError, match=r"a series of clip\.mp4 is being recorded"):
        actions.record_series(hall, tmp_path / "other", str(folder / "clip.mp4"))
    assert actions.stop_recording(hall) == "stopping after frame 3 of 8"
    (folder / "hold").unlink()
    actions.wait_for_bridge(hall)
    assert load_series(tmp_path / "s").labels == ("frame 0", "frame 1", "frame 2", "frame 3")
    hall.frame_set(4)
    live.assert_shows(hall, plain_run(folder, 3), tmp_path / "s")
    assert actions.stop_recording(hall) == "no series is being recorded"


def test_a_bridge_that_is_left_ends_the_recording(hall, folder, tmp_path, torch_python):
    (folder / "hold").write_text("2")
    actions.record_series(hall, tmp_path / "s", str(folder / "clip.mp4"))
    live.until((folder / "reached").exists)
    actions.leave_bridge()
    (folder / "hold").unlink()
    assert current().hall(hall.session_uid).series is None and SERIES_FOLDER not in hall
    assert load_series(tmp_path / "s").labels == ("frame 0", "frame 1")
    live.start(torch_python, NETWORKS, {}, folder)
    actions.follow(hall, "Gated")
    record(hall, tmp_path / "other", folder / "clip.mp4", step=4)
    hall.frame_set(2)
    live.assert_shows(hall, plain_run(folder, 4), tmp_path / "other")


def test_a_video_that_was_closed_meanwhile_is_one_line(tmp_path):
    bridge = SimpleNamespace(describe=lambda: {"films": []})
    with pytest.raises(InputError, match="clip is open no more"):
        record_video_series(bridge, SeriesJob("Gated", "clip", "", tmp_path / "series"))


def test_a_damaged_frame_is_left_out(hall, folder, tmp_path, monkeypatch):
    """The bridge gives frame 5 in the place of all frames from 4 on."""
    record_on_bridge = client.Bridge.record

    def record_other(bridge, network, inputs, **options):
        return record_on_bridge(bridge, network, [client.video("clip.mp4", frame=5)], **options)

    monkeypatch.setattr(client.Bridge, "record", record_other)
    record(hall, tmp_path / "s", folder / "clip.mp4", first=4, step=1)
    assert load_series(tmp_path / "s").labels == ("frame 5",)


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        ("clip.mp4", {"first": -1}, "first -1, step 1: a first frame from 0 on"),
        ("clip.mp4", {"step": 0}, "first 0, step 0: a first frame from 0 on and a step from 1 on"),
        ("clip.mp4", {"first": 8}, r"clip\.mp4 has no frame 8; its frames are 0 to 7"),
        ("camera:0", {}, "camera:0 has no frames that can be recorded; name a video file"),
        ("", {}, "no video has no frames that can be recorded"),
        ("gone.mp4", {}, r"gone\.mp4: no such file"),
    ],
)
def test_what_cannot_be_recorded_changes_nothing(hall, folder, tmp_path, source, arguments, message):
    before, frames = live.texels(hall), (hall.frame_start, hall.frame_end)
    source = str(folder / source) if source.endswith("mp4") else source
    with pytest.raises((InputError, BridgeError), match=message) as error:
        actions.record_series(hall, tmp_path / "s", source, **arguments)
        actions.wait_for_bridge(hall)
    assert "\n" not in str(error.value)
    assert live.equal(live.texels(hall), before) and (hall.frame_start, hall.frame_end) == frames
    assert SERIES_FOLDER not in hall and not (tmp_path / "s").exists()
    assert current().hall(hall.session_uid).series is None


def test_a_series_of_another_network_is_refused(hall, folder, tmp_path):
    record(hall, tmp_path / "s", folder / "clip.mp4", step=4)
    other = live.built("Moody")
    with pytest.raises(SceneError, match="of layer 'a', which hall Moody shows"):
        actions.open_series(other, tmp_path / "s")
    with pytest.raises(SceneError, match="has no series; open one"):
        actions.key_series(other)


def test_a_renders_own_thread_lets_the_main_thread_show_the_entry(hall, folder, tmp_path):
    record(hall, tmp_path / "s", folder / "clip.mp4")
    hall.frame_set(1)
    before = live.texels(hall)
    timer.start()
    hall[VIDEO_SOURCE] = ""
    hall.frame_current = 5
    thread = threading.Thread(target=series_actions.show_keyed_position, args=(hall,))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive() and live.equal(live.texels(hall), before)
    live.until(lambda: not thread.is_alive())
    assert store.read_description(hall).input_name == "clip.mp4, frame 4"
