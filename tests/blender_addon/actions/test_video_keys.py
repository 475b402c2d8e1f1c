"""A video that is keyed frame by frame: each frame of the scene shows exactly the one that is keyed there."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions import video_keys  # noqa: E402
from innerwalk.blender_addon.live import timer  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import METHOD_TAG, VIDEO_FRAME, VIDEO_SOURCE  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.state.keyframes import find_curve  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.tests.support.clips import write_clip  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InputError, UnknownName  # noqa: E402

FRAMES = 10
NETWORKS = {"Gated": live.own("Gated")}


@pytest.fixture(scope="module")
def folder(torch_python, tmp_path_factory) -> Path:
    """The bridge's folder, with two videos."""
    folder = tmp_path_factory.mktemp("films")
    write_clip(torch_python, folder / "clip.mp4", FRAMES, 10)
    write_clip(torch_python, folder / "longer.mp4", FRAMES + 5, 10)
    live.start(torch_python, NETWORKS, {}, folder)
    yield folder
    actions.leave_bridge()


@pytest.fixture
def hall(folder, torch_python):
    live.empty_file()
    if current().state != "ready":
        live.start(torch_python, NETWORKS, {}, folder)
    yield live.built("Gated")
    (folder / "hold").unlink(missing_ok=True)
    (folder / "reached").unlink(missing_ok=True)
    for found in store.halls():
        actions.stop_video(found)
    live.until(lambda: current().state != "ready" or not (current().has_callbacks or current().link.busy))
    current().take_error()


def key(scene, source: Path | str, **arguments) -> None:
    assert actions.key_video(scene, str(source), **arguments).startswith(f"opening {Path(source).name} to key")
    actions.wait_for_bridge(scene)


def recorded(number: int, name: str = "clip.mp4"):
    with live.bridge() as bridge:
        return bridge.record("Gated", [client.video(name, frame=number)])


def keys(scene) -> dict[int, int]:
    curve = find_curve(scene, VIDEO_FRAME)
    assert all(point.interpolation == "CONSTANT" for point in curve.keyframe_points)
    return {int(point.co[0]): int(point.co[1]) for point in curve.keyframe_points}


def assert_empty(scene, name: str) -> None:
    """All panels show zeros, the input is black, and the hall says which frame is missing."""
    assert not any(texels.any() for texels in live.texels(scene).values())
    assert not live.picture(scene).any()
    assert store.read_description(scene).input_name == f"{name} is missing"


@pytest.mark.parametrize(("first", "step", "count"), [(1, 1, 10), (5, 3, 4), (0, 99, 1)])
def test_each_frame_shows_what_is_keyed(hall, folder, first, step, count):
    key(hall, folder / "clip.mp4", first=first, step=step)
    assert keys(hall) == {first + k: k * step for k in range(count)}
    assert (hall.frame_start, hall.frame_end) == (first, first + count - 1)
    for k in (*range(count), 0):
        hall.frame_set(first + k)
        assert hall[VIDEO_FRAME] == k * step
        live.assert_shows(hall, recorded(k * step))
    hall.frame_set(first + count + 20)
    live.assert_shows(hall, recorded((count - 1) * step))


def test_the_frame_at_the_present_one_is_shown_at_once(hall, folder):
    hall.frame_set(4)
    key(hall, folder / "clip.mp4")
    live.assert_shows(hall, recorded(3))
    assert actions.key_video(hall, first=2, step=2) == "5 frames of clip.mp4 are keyed at 2 to 6"
    actions.wait_for_bridge(hall)
    assert keys(hall) == {2: 0, 3: 2, 4: 4, 5: 6, 6: 8}, "and none of before"
    live.assert_shows(hall, recorded(4))


def pixels(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 of a picture file."""
    return np.asarray(Image.open(path).convert("RGB"))


def rendered(scene, path: Path, **arguments) -> None:
    render = scene.render
    render.engine, render.resolution_x, render.resolution_y, scene.cycles.samples = "CYCLES", 48, 27, 1
    render.filepath = str(path)
    bpy.ops.render.render(scene=scene.name, **arguments)


def test_each_picture_of_an_animation_shows_its_frame(hall, folder, tmp_path):
    key(hall, folder / "clip.mp4", first=3, step=4)
    rendered(hall, tmp_path / "all_", animation=True)
    pictures = [pixels(path) for path in sorted(tmp_path.glob("all_*"))]
    assert len(pictures) == 3 and not current().rendering
    for number, picture in zip((0, 4, 8), pictures, strict=True):
        hall.frame_set(3 + number // 4)
        live.assert_shows(hall, recorded(number))
        rendered(hall, tmp_path / f"one_{number}.png", write_still=True)
        assert np.array_equal(pixels(tmp_path / f"one_{number}.png"), picture)
    assert not np.array_equal(pictures[0], pictures[1]) and not np.array_equal(pictures[1], pictures[2])


def test_a_still_shows_the_keyed_frame_in_place_of_another_input(hall, folder, tmp_path):
    key(hall, folder / "clip.mp4")
    hall.frame_set(6)
    actions.place_input(hall, noise=3)
    actions.wait_for_bridge(hall)
    rendered(hall, tmp_path / "still.png", write_still=True)
    live.assert_shows(hall, recorded(5))


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        ("clip.mp4", {"first": -1}, "first -1, step 1: a first frame from 0 on"),
        ("clip.mp4", {"step": 0}, "first 1, step 0: a first frame from 0 on and a step from 1 on"),
        ("clip.mp4", {"step": -2}, "step -2"),
        ("clip.mp4", {"first": 1_048_570}, "10 frames from 1048570 on end after Blender's last frame, 1048574"),
        ("camera:0", {}, "camera:0 has no frames that can be keyed; name a video file"),
        ("", {}, "no video is open"),
        ("gone.mp4", {}, "gone.mp4: no such file"),
    ],
)
def test_what_cannot_be_keyed_changes_nothing(hall, folder, source, arguments, message):
    before, frames = live.texels(hall), (hall.frame_start, hall.frame_end)
    source = str(folder / source) if source.endswith("mp4") else source
    with pytest.raises((InputError, BridgeError), match=message) as error:
        actions.key_video(hall, source, **arguments)
        actions.wait_for_bridge(hall)
    assert "\n" not in str(error.value)
    assert live.equal(live.texels(hall), before) and (hall.frame_start, hall.frame_end) == frames
    assert find_curve(hall, VIDEO_FRAME) is None


def test_a_camera_that_was_the_last_source_cannot_be_keyed(hall):
    hall[VIDEO_SOURCE] = "camera:0"
    with pytest.raises(InputError, match="camera:0 has no frames that can be keyed"):
        actions.key_video(hall)


def test_keys_of_another_video_go(hall, folder):
    key(hall, folder / "clip.mp4")
    actions.play_video(hall, str(folder / "clip.mp4"))
    actions.wait_for_bridge(hall)
    assert len(keys(hall)) == FRAMES
    actions.play_video(hall, str(folder / "longer.mp4"))
    actions.wait_for_bridge(hall)
    assert find_curve(hall, VIDEO_FRAME) is None
    key(hall, folder / "longer.mp4")
    hall.frame_set(15)
    live.assert_shows(hall, recorded(14, "longer.mp4"))


def test_a_reopened_file_shows_its_keyed_frames_again(hall, folder, torch_python, tmp_path):
    key(hall, folder / "clip.mp4")
    hall.frame_set(3)
    shown, other = recorded(2), recorded(7)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "keyed.blend"))
    actions.leave_bridge()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "keyed.blend"))
    (scene,) = store.halls()
    scene.frame_set(3)
    live.assert_shows(scene, shown)
    assert current().take_error() is None, "it is shown already"
    scene.frame_set(8)
    assert_empty(scene, "clip.mp4, frame 7")
    with pytest.raises(BridgeError, match=r"clip\.mp4, frame 7, keyed at 8, isn't shown: no bridge"):
        actions.wait_for_bridge(scene)
    live.start(torch_python, NETWORKS, {}, folder)
    actions.follow(scene, "Gated")
    scene.frame_set(8)
    live.assert_shows(scene, other)


def test_a_renders_own_thread_shows_nothing_without_a_bridge(hall, folder, monkeypatch):
    key(hall, folder / "clip.mp4")
    actions.leave_bridge()
    timer.stop()
    monkeypatch.setattr(timer, "in_background", lambda: False)
    hall.frame_set(6)  # as a render does, whose handlers run in its own thread
    assert str(current().take_error()).startswith("no bridge")
    monkeypatch.setattr(current(), "rendering", True)
    thread = threading.Thread(target=video_keys.show_keyed_frame, args=(hall,))
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert_empty(hall, "clip.mp4, frame 5")
    with pytest.raises(BridgeError, match="frame 5, keyed at 6, isn't shown: no bridge"):
        actions.wait_for_bridge(hall)


def test_a_picture_waits_for_a_video_that_is_opened_to_be_keyed(hall, folder):
    actions.key_video(hall, str(folder / "clip.mp4"))
    hall.frame_set(7)
    live.assert_shows(hall, recorded(6))


def test_a_reopened_file_whose_video_is_gone_shows_nothing(hall, folder, tmp_path):
    source = Path(shutil.copy(folder / "clip.mp4", tmp_path))
    key(hall, source)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "keyed.blend"))
    source.unlink()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "keyed.blend"))
    (scene,) = store.halls()
    scene.frame_set(4)
    assert_empty(scene, "clip.mp4, frame 3")
    with pytest.raises(BridgeError, match=r"frame 3, keyed at 4, isn't shown: video .*clip\.mp4: no such file"):
        actions.wait_for_bridge(scene)


def test_a_folder_with_its_video_can_be_moved(hall, folder, tmp_path):
    home = tmp_path / "home"
    (home / "clips").mkdir(parents=True)
    source = Path(shutil.copy(folder / "clip.mp4", home / "clips"))
    key(hall, source)
    bpy.ops.wm.save_as_mainfile(filepath=str(home / "keyed.blend"), copy=True)
    assert hall[VIDEO_SOURCE] == str(source)
    live.empty_file()
    live.until(lambda: not current().has_callbacks)
    home.rename(tmp_path / "moved")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "moved" / "keyed.blend"))
    (scene,) = store.halls()
    scene.frame_set(5)
    live.assert_shows(scene, recorded(4))
    assert scene[VIDEO_SOURCE] == str(tmp_path / "moved" / "clips" / "clip.mp4")


def test_a_frame_that_does_not_come_shows_nothing_and_its_error_stays(hall, folder, monkeypatch):
    key(hall, folder / "clip.mp4")
    monkeypatch.setattr(video_keys, "RENDER_WAIT_SECONDS", 0.3)
    (folder / "hold").write_text("")
    hall.frame_set(4)
    assert_empty(hall, "clip.mp4, frame 3")
    (folder / "hold").unlink()
    monkeypatch.setattr(video_keys, "RENDER_WAIT_SECONDS", 60.0)
    hall.frame_set(5)
    live.assert_shows(hall, recorded(4))
    with pytest.raises(BridgeError, match=r"clip\.mp4, frame 3, keyed at 4, isn't shown: no answer within 0\.3 s"):
        actions.wait_for_bridge(hall)
    hall.frame_set(4)
    live.assert_shows(hall, recorded(3))
    actions.wait_for_bridge(hall)


def test_a_frame_that_is_refused_shows_nothing(hall, folder):
    key(hall, folder / "clip.mp4")
    with live.bridge() as bridge:
        bridge.close_video("clip.mp4")
    hall.frame_set(9)
    assert_empty(hall, "clip.mp4, frame 8")
    with pytest.raises(BridgeError, match=r"frame 8, keyed at 9, isn't shown: no video 'clip\.mp4'"):
        actions.wait_for_bridge(hall)


def test_in_a_window_a_frame_that_cannot_be_shown_is_an_error_only(hall, folder, monkeypatch):
    key(hall, folder / "clip.mp4")
    shown = live.texels(hall)
    with live.bridge() as bridge:
        bridge.close_video("clip.mp4")
    monkeypatch.setattr(timer, "in_background", lambda: False)
    hall.frame_set(9)
    with pytest.raises(UnknownName, match=r"no video 'clip\.mp4'"):
        actions.wait_for_bridge(hall)
    live.settled()
    assert live.equal(live.texels(hall), shown) and hall[VIDEO_FRAME] == 0


def test_a_method_is_computed_for_each_frame(hall, folder):
    key(hall, folder / "clip.mp4")
    actions.ask_method(hall, "saliency")
    actions.wait_for_bridge(hall)
    found = []
    for frame in (2, 8, 2):
        hall.frame_set(frame)
        assert not current().is_running(str(hall[METHOD_TAG]))
        found.append(live.texels(hall))
    assert live.equal(found[0], found[2]) and not live.equal(found[0], found[1])
