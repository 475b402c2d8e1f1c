"""A video as a hall's input: played by a clock, paused, stepped."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions import video  # noqa: E402
from innerwalk.blender_addon.live import event_queue, timer  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import INPUT_TAG, NETWORK_NAME, VIDEO_FRAME, VIDEO_SOURCE  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.tests.support.clips import write_clip  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InnerwalkError, InputError  # noqa: E402

FRAMES, RATE = 30, 10


@pytest.fixture(scope="module")
def folder(torch_python, tmp_path_factory) -> Path:
    """The bridge's folder, with a video whose frames have the grey value 8 x their number."""
    folder = tmp_path_factory.mktemp("films")
    write_clip(torch_python, folder / "clip.mp4", FRAMES, RATE)
    with live.registered():
        live.start(torch_python, {"Gated": live.own("Gated")}, {}, folder)
        yield folder


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """The clock of videos; it stands still until a test moves it."""
    clock = SimpleNamespace(now=100.0)
    for module in (video, event_queue):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(timer, "in_background", lambda: False)
    return clock


@pytest.fixture
def hall(folder, clock):
    live.empty_file()
    current().error = ""
    scene = live.built("Gated")
    yield scene
    (folder / "hold").unlink(missing_ok=True)
    (folder / "reached").unlink(missing_ok=True)
    for found in store.halls():
        actions.stop_video(found)
    live.until(lambda: not current().has_callbacks and not current().link.busy)
    current().error = ""


def recorded(name: str, number: int):
    with live.bridge() as bridge:
        return bridge.record("Gated", [client.video(name, frame=number)])


def input_tags() -> list[str]:
    """Tags of the inputs that were requested, oldest first."""
    return [tag for tag in current().requests if current().input_request(tag)]


def shown(scene) -> None:
    """Wait until everything that was requested is shown."""
    actions.wait_for_bridge(scene)


def play(scene, folder, name="clip.mp4") -> None:
    assert actions.play_video(scene, str(folder / name)) == f"opening {name}"
    shown(scene)


def to(clock, scene, now: float) -> int:
    """Set the clock, and return the number of the frame that is shown then."""
    before = scene[INPUT_TAG]
    clock.now = now
    live.until(lambda: scene[INPUT_TAG] != before or bool(current().error))
    shown(scene)
    return scene[VIDEO_FRAME]


def test_it_plays_by_the_clock(hall, folder, clock):
    play(hall, folder)
    assert hall[VIDEO_FRAME] == 0
    live.assert_shows(hall, recorded("clip.mp4", 0))
    assert to(clock, hall, 100.1) == 1
    live.assert_shows(hall, recorded("clip.mp4", 1))
    assert [to(clock, hall, 100 + seconds) for seconds in (0.25, 0.31, 1.77, 2.99)] == [2, 3, 17, 29]
    assert to(clock, hall, 103.05) == 0, "it begins again"
    assert to(clock, hall, 104.25) == 12
    live.assert_shows(hall, recorded("clip.mp4", 12))


def test_a_frame_is_run_once(hall, folder, clock):
    play(hall, folder)
    tag = hall[INPUT_TAG]
    clock.now = 100.09
    for _ in range(200):
        timer.pump(0.001)
    assert hall[INPUT_TAG] == tag, "no other frame is due"


def test_frames_are_dropped_and_never_queued(hall, folder, clock):
    play(hall, folder)
    (folder / "hold").write_text("")
    before = set(input_tags())
    clock.now = 100.1
    live.until(lambda: (folder / "reached").exists())
    for now in range(101, 130):
        clock.now = now / 10 + 90.0
        timer.pump(0.002)
    assert len(set(input_tags()) - before) == 1, "while one is looked at no other is asked for"
    clock.now = 102.2
    (folder / "hold").unlink()
    shown(hall)
    assert hall[VIDEO_FRAME] in (0, 1, 22)
    live.until(lambda: hall[VIDEO_FRAME] == 22)
    shown(hall)
    live.assert_shows(hall, recorded("clip.mp4", 22))
    assert len(set(input_tags()) - before) == 2


def test_pause_step_and_on(hall, folder, clock):
    play(hall, folder)
    to(clock, hall, 101.0)
    assert actions.pause_video(hall) == "paused at frame 10"
    clock.now = 150.0
    for _ in range(20):
        timer.pump(0.002)
    assert hall[VIDEO_FRAME] == 10
    for by, frame in ((1, 11), (1, 12), (-3, 9), (100, 29), (-100, 0), (7, 7)):
        actions.step_video(hall, by)
        shown(hall)
        assert hall[VIDEO_FRAME] == frame
        live.assert_shows(hall, recorded("clip.mp4", frame))
    actions.step_video(hall, 1), actions.step_video(hall, 1)
    shown(hall)
    assert hall[VIDEO_FRAME] == 9
    actions.play_video(hall)
    shown(hall)
    assert hall[VIDEO_FRAME] == 9
    assert to(clock, hall, 150.35) == 12
    actions.pause_video(hall)
    actions.play_video(hall)
    shown(hall)
    assert to(clock, hall, 150.75) == 16


def test_a_picture_that_is_placed_pauses_it(hall, folder, clock):
    play(hall, folder)
    actions.place_input(hall, noise=4)
    shown(hall)
    clock.now = 101.0
    for _ in range(20):
        timer.pump(0.002)
    with live.bridge() as bridge:
        live.assert_shows(hall, bridge.record("Gated", [client.noise(4)]))
    actions.play_video(hall)
    shown(hall)
    assert hall[VIDEO_FRAME] == 0
    assert to(clock, hall, 101.4) == 4


def test_undo_shows_the_frame_that_was_shown(hall, folder, clock):
    play(hall, folder)
    to(clock, hall, 101.0)
    actions.pause_video(hall)
    bpy.ops.ed.undo_push(message="at 10")
    actions.step_video(hall, 5)
    shown(hall)
    bpy.ops.ed.undo_push(message="at 15")
    for request in current().requests.values():
        request.results = None
    bpy.ops.ed.undo()
    scene = store.halls()[0]
    shown(scene)
    assert scene[VIDEO_FRAME] == 10
    live.assert_shows(scene, recorded("clip.mp4", 10))


@pytest.mark.parametrize("kind", ["gone", "no film"])
def test_a_file_that_is_no_video_is_an_error(hall, folder, kind):
    before = live.texels(hall)
    (folder / "no film.mp4").write_bytes(b"nothing of the sort" * 99)
    actions.play_video(hall, str(folder / f"{kind}.mp4"))
    with pytest.raises(InnerwalkError, match=kind):
        shown(hall)
    assert "\n" not in current().error and current().video_of(hall.session_uid) is None
    assert live.equal(live.texels(hall), before)
    with pytest.raises(InputError, match="no video is open"):
        actions.pause_video(hall)
    current().error = ""
    play(hall, folder)
    live.assert_shows(hall, recorded("clip.mp4", 0))


def test_a_video_that_fails_on_its_way_stops(hall, folder, clock):
    play(hall, folder)
    before = recorded("clip.mp4", 0)
    with live.bridge() as bridge:
        bridge.close_video("clip.mp4")
    clock.now = 100.5
    live.until(lambda: bool(current().error))
    live.settled()
    assert "no video 'clip.mp4'" in current().error
    assert not current().video_of(hall.session_uid).running
    live.assert_shows(hall, before)
    actions.place_input(hall, noise=1)
    shown(hall)
    assert actions.stop_video(hall) == "clip.mp4 is closed"
    live.until(lambda: not current().has_callbacks)
    assert actions.stop_video(hall) == "no video is open"


def test_two_halls_play_two_videos_of_one_name(hall, folder, clock):
    (folder / "other").mkdir(exist_ok=True)
    (folder / "other" / "clip.mp4").write_bytes((folder / "clip.mp4").read_bytes())
    other = live.built("Gated")
    play(hall, folder)
    play(other, folder / "other")
    assert {state.video.name for state in current().halls.values() if state.video} == {"clip.mp4", "clip.mp4 2"}
    clock.now = 100.5
    live.until(lambda: hall[VIDEO_FRAME] == other[VIDEO_FRAME] == 5)
    actions.stop_video(hall)
    assert to(clock, other, 101.2) == 12
    shown(hall)
    assert hall[VIDEO_FRAME] == 5


def open_videos() -> list[str]:
    """Names of the videos that are open on the bridge."""
    with live.bridge() as bridge:
        return [info["name"] for info in bridge.describe()["films"]]


def test_a_renamed_hall_keeps_its_video(hall, folder, clock):
    play(hall, folder)
    hall.name = "Another name"
    assert to(clock, hall, 100.5) == 5
    live.assert_shows(hall, recorded("clip.mp4", 5))
    assert to(clock, hall, 101.25) == 12, "and it plays on"
    assert actions.pause_video(hall) == "paused at frame 12"
    hall.name = "A third name"
    assert actions.stop_video(hall) == "clip.mp4 is closed"
    live.until(lambda: not open_videos())


@pytest.mark.parametrize("paused", [False, True])
def test_a_deleted_halls_video_is_closed_on_the_bridge(hall, folder, clock, paused):
    other = live.built("Gated")
    play(other, folder)
    if paused:
        actions.pause_video(other)
    assert open_videos() == ["clip.mp4"]
    bpy.data.scenes.remove(other)
    live.until(lambda: not open_videos())
    assert current().error == ""
    play(hall, folder)
    assert open_videos() == ["clip.mp4"], "its name is free again"


def test_another_file_closes_the_videos_of_the_last(hall, folder):
    play(hall, folder)
    live.empty_file()
    live.until(lambda: not open_videos())
    assert current().error == ""


def test_a_hall_that_follows_nothing_plays_nothing(folder, clock):
    live.empty_file()
    scene = live.built("Gated")
    del scene[NETWORK_NAME]
    with pytest.raises(BridgeError, match="has no network that can be run"):
        actions.play_video(scene, str(folder / "clip.mp4"))
    scene.frame_set(7)
    assert current().video_of(scene.session_uid) is None


# Between two frames


def show_event() -> None:
    """Show one event."""
    timer.pump(1e-6)


def show_events(holds) -> None:
    """Show one event after the other until `holds()` is true."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        show_event()


@pytest.fixture
def between(hall, folder, clock):
    """Frame 0 is shown, but one panel shows frame 5, which has arrived; frame 8 is due. Returns the tags of both."""
    play(hall, folder)
    tag, before = hall[INPUT_TAG], live.texels(hall)
    clock.now = 100.5
    show_events(lambda: hall[INPUT_TAG] != tag)
    show_events(lambda: not live.equal(live.texels(hall), before))
    clock.now = 100.8
    end = time.monotonic() + 20
    while current().link.busy:
        assert time.monotonic() < end
        time.sleep(0.002)
    return SimpleNamespace(first=tag, second=hall[INPUT_TAG])


def test_a_frame_is_shown_whole_before_the_next_is_asked_for(hall, between):
    expected = {number: recorded("clip.mp4", number) for number in (0, 5, 8)}
    assert hall[VIDEO_FRAME] == 0 and store.read_description(hall).input_name == expected[0].input_name
    seen = []
    while hall[VIDEO_FRAME] != 8:
        show_event()
        of = (0, 5) if hall[INPUT_TAG] == between.second else (5, 8)
        seen.append(
            {
                next(k for k in of if np.array_equal(texels, live.maps_of(expected[k])[id]))
                for id, texels in live.texels(hall).items()
            }
        )
        if hall[VIDEO_FRAME] == 5 and hall[INPUT_TAG] == between.second:
            live.assert_shows(hall, expected[5])
    assert {5} in seen and seen[-1] == {8}
    live.assert_shows(hall, expected[8])


def test_pause_stays_at_the_frame_that_is_shown_whole(hall, between, clock):
    assert not live.equal(live.texels(hall), live.maps_of(recorded("clip.mp4", 0))), "another frame has begun"
    assert actions.pause_video(hall) == "paused at frame 0"
    shown(hall)
    live.assert_shows(hall, recorded("clip.mp4", 0))
    clock.now = 102.0
    for _ in range(20):
        timer.pump(0.002)
    assert hall[VIDEO_FRAME] == 0 and hall[INPUT_TAG] == between.first
    actions.step_video(hall)
    shown(hall)
    live.assert_shows(hall, recorded("clip.mp4", 1))
    actions.play_video(hall)
    shown(hall)
    assert hall[VIDEO_FRAME] == 1 and to(clock, hall, 102.55) == 6


def test_step_goes_on_from_the_frame_that_is_shown_whole(hall, between):
    actions.step_video(hall)
    shown(hall)
    assert hall[VIDEO_FRAME] == 1
    live.assert_shows(hall, recorded("clip.mp4", 1))


def test_stop_leaves_the_frame_that_is_shown_whole(hall, between):
    expected = recorded("clip.mp4", 0)
    assert actions.stop_video(hall) == "clip.mp4 is closed"
    shown(hall)
    live.assert_shows(hall, expected)
    live.until(lambda: not current().link.busy and not current().has_queued)
    assert current().error == ""


def test_stop_while_a_frame_is_run_is_no_error(hall, folder, clock):
    play(hall, folder)
    expected = recorded("clip.mp4", 0)
    (folder / "hold").write_text("")
    clock.now = 100.5
    live.until(lambda: (folder / "reached").exists())
    actions.stop_video(hall)
    (folder / "hold").unlink()
    shown(hall)
    live.until(lambda: not current().link.busy)
    live.settled()
    assert current().error == "" and hall[VIDEO_FRAME] == 0
    live.assert_shows(hall, expected)


def test_a_frame_of_a_stopped_video_is_none_of_the_next(hall, folder, between, clock):
    to(clock, hall, 101.2)
    clock.now = 101.6
    show_events(lambda: hall[INPUT_TAG] != current().hall(hall.session_uid).shown)
    actions.stop_video(hall)
    assert current().has_queued, "frame 12 is still to be shown again"
    actions.play_video(hall, str(folder / "clip.mp4"))
    shown(hall)
    live.until(lambda: not current().has_callbacks)
    shown(hall)
    assert hall[VIDEO_FRAME] == 0 and current().error == ""
    live.assert_shows(hall, recorded("clip.mp4", 0))


def test_another_input_goes_before(hall, between, clock):
    actions.place_input(hall, noise=4)
    clock.now = 101.5
    shown(hall)
    with live.bridge() as bridge:
        live.assert_shows(hall, bridge.record("Gated", [client.noise(4)]))
    live.until(lambda: not current().link.busy)
    live.settled()
    assert hall[VIDEO_FRAME] == 0


def test_undo_between_two_frames(hall, between, clock):
    hall[INPUT_TAG] = between.first
    actions.restore_after_undo()
    clock.now = 100.55
    shown(hall)
    live.assert_shows(hall, recorded("clip.mp4", 0))
    assert to(clock, hall, 101.25) == 12, "and the video goes on"
    live.assert_shows(hall, recorded("clip.mp4", 12))


# In the background


@pytest.fixture
def background(hall, monkeypatch):
    monkeypatch.setattr(timer, "in_background", lambda: True)
    return hall


def test_in_the_background_a_video_stays_at_its_frame(background, folder, clock):
    line = actions.play_video(background, str(folder / "clip.mp4"))
    assert line == "opening clip.mp4; it stays at one frame, as no time passes in the background"
    for now in (100.0, 101.0, 150.0):
        clock.now = now
        shown(background)
        live.assert_shows(background, recorded("clip.mp4", 0))
    actions.step_video(background, 4)
    shown(background)
    actions.play_video(background)
    clock.now = 200.0
    shown(background)
    assert background[VIDEO_FRAME] == 4
    live.assert_shows(background, recorded("clip.mp4", 4))


# Another video in place of one


@pytest.fixture
def second(folder) -> Path:
    """A copy of the video under another name."""
    return Path(shutil.copy(folder / "clip.mp4", folder / "second.mp4"))


def test_another_video_drops_what_was_due_of_the_former(hall, folder, second, clock):
    play(hall, folder)
    to(clock, hall, 100.5)
    assert current().has_scheduled
    clock.now = 101.0  # frame 10 of the former is due
    actions.play_video(hall, str(second))
    live.until(lambda: current().video_of(hall.session_uid).name == "second.mp4")
    shown(hall)
    live.until(lambda: not current().has_callbacks)
    assert hall[VIDEO_FRAME] == 0 and current().error == ""
    live.assert_shows(hall, recorded("second.mp4", 0))
    assert open_videos() == ["second.mp4"]
    assert to(clock, hall, clock.now + 0.35) == 3


def test_a_video_that_cannot_be_opened_leaves_the_former(hall, folder, clock):
    play(hall, folder)
    actions.pause_video(hall)
    actions.step_video(hall, 6)
    shown(hall)
    source = hall[VIDEO_SOURCE]
    actions.play_video(hall, str(folder / "gone.mp4"))
    with pytest.raises(InnerwalkError, match=r"gone\.mp4: no such file"):
        actions.wait_for_bridge(hall)
    assert (hall[VIDEO_FRAME], hall[VIDEO_SOURCE], open_videos()) == (6, source, ["clip.mp4"])
    actions.step_video(hall)
    shown(hall)
    live.assert_shows(hall, recorded("clip.mp4", 7))


def test_a_video_that_is_closed_while_it_is_opened_stays_closed(hall, folder):
    actions.play_video(hall, str(folder / "clip.mp4"))
    with pytest.raises(InputError, match=r"clip\.mp4 isn't open yet"):
        actions.play_video(hall, str(folder / "clip.mp4"))
    assert actions.stop_video(hall) == "clip.mp4 is closed"
    live.until(lambda: not current().has_callbacks)
    assert open_videos() == [] and current().video_of(hall.session_uid) is None


@pytest.mark.parametrize("frame", [-1, FRAMES])
def test_a_frame_that_the_video_does_not_have_changes_nothing(hall, folder, frame):
    play(hall, folder)
    actions.pause_video(hall)
    with pytest.raises(InputError, match=rf"clip\.mp4 has no frame {frame}; its frames are 0 to 29"):
        actions.show_video_frame(hall, frame)
    assert hall[VIDEO_FRAME] == 0


def test_a_frame_that_the_bridge_refuses_is_not_the_halls(hall, folder):
    play(hall, folder)
    actions.pause_video(hall)
    actions.step_video(hall, 3)
    shown(hall)
    before = recorded("clip.mp4", 3)
    with live.bridge() as bridge:
        bridge.close_video("clip.mp4")
    actions.show_video_frame(hall, 8)
    with pytest.raises(InnerwalkError, match=r"no video 'clip\.mp4'"):
        shown(hall)
    live.settled()
    assert hall[VIDEO_FRAME] == 3
    live.assert_shows(hall, before)
