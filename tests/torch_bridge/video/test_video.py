"""Videos: frames by time, by step and by number, cameras, and errors."""

import queue
import sys
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av", reason="needs PyAV (av)")

from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402
from innerwalk.torch_bridge.video import Frame, camera, open_video  # noqa: E402
from innerwalk.torch_bridge.video.camera import Camera  # noqa: E402
from innerwalk.torch_bridge.video.decoder import FrameDecoder  # noqa: E402

COUNT, RATE, SIZE = 50, 25, (64, 48)
KINDS = {
    "a.mp4": ("libx264", {"g": "12", "bf": "2"}),
    "a.mkv": ("libx264", {"g": "12", "bf": "2"}),
    "a.ts": ("libx264", {"g": "12"}),
    "a.webm": ("libvpx-vp9", {}),
    "a.avi": ("mjpeg", {}),
    "a.mov": ("png", {}),
}


def grey(number: int) -> np.ndarray:
    """The picture of a frame: its number can be read from its grey."""
    return np.full((SIZE[1], SIZE[0], 3), 20 + 4 * number, np.uint8)


def number_of(frame: Frame) -> int:
    assert (frame.picture.shape, frame.picture.dtype) == ((SIZE[1], SIZE[0], 3), np.uint8)
    return round((float(frame.picture.mean()) - 20) / 4)


def write(path: Path, codec="libx264", options=None, pictures=None, times=None) -> Path:
    """Write a video of pictures (H, W, 3), at `times` in milliseconds or 25 per second."""
    pictures = [grey(number) for number in range(COUNT)] if pictures is None else pictures
    formats = {"png": "rgb24", "mjpeg": "yuvj420p", "libx264rgb": "rgb24"}
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=RATE, options=dict(options or {}))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = formats.get(codec, "yuv420p")
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            if times:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(params=KINDS)
def film(request, folder):
    path = folder / request.param
    opened = open_video(str(path if path.exists() else write(path, *KINDS[request.param])))
    yield opened
    opened.close()


@pytest.fixture
def once(folder):
    """A video that stays at its end."""
    path = folder / "a.mp4"
    opened = open_video(str(path if path.exists() else write(path, *KINDS["a.mp4"])), loop=False)
    yield opened
    opened.close()


def refused(text, *phrases: str) -> None:
    with pytest.raises(InputError) as error:
        open_video(str(text))
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in phrases), error.value


# files


def test_a_film_says_what_it_is(film):
    assert (film.frames, film.size, film.rate) == (COUNT, SIZE, pytest.approx(RATE))


def test_steps_give_every_frame_in_turn_and_begin_again(film):
    frames = [film.step() for _ in range(COUNT + 2)]
    assert [number_of(frame) for frame in frames] == [*range(COUNT), 0, 1]
    assert [frame.number for frame in frames] == [*range(COUNT), 0, 1]
    assert [frame.seconds for frame in frames[:COUNT]] == pytest.approx(np.arange(COUNT) / RATE)
    assert [number_of(film.step(n)) for n in (3, -1, 2 * COUNT, -5)] == [4, 3, 3, COUNT - 2]


def test_any_frame_is_found_by_its_number(film):
    order = np.random.default_rng(0).permutation(COUNT).tolist()
    assert [number_of(film.seek(number)) for number in order] == order
    for number in (-1, COUNT):
        with pytest.raises(InputError, match=f"there is no frame {number}; they are 0 to {COUNT - 1}"):
            film.seek(number)


def test_the_newest_frame_is_the_one_that_is_due(film):
    """Frames in between are skipped; at the end the video starts again."""
    due = {0: 0, 0.039: 0, 0.04: 1, 0.1: 2, 0.5: 12, 0.52: 13, 1.5: 37, 1.96: 49, 1.999: 49, 2.0: 0, 2.5: 12, 61.04: 26}
    assert {at: number_of(film.frame_at(at)) for at in due} == due
    assert number_of(film.frame_at(-3.0)) == 0
    assert number_of(film.step()) == 1


def test_what_was_shown_is_not_decoded_again(film):
    assert film.frame_at(0.5) is film.frame_at(0.51) is film.seek(12)


def test_without_a_loop_it_stays_at_the_end(once):
    assert number_of(once.frame_at(99.0)) == COUNT - 1
    assert [number_of(once.step(n)) for n in (1, -1, 5)] == [COUNT - 1, COUNT - 2, COUNT - 1]


def test_little_is_decoded_to_skip_ahead(once, monkeypatch):
    """Key frames are 12 apart: a jump decodes from the last one on."""
    decoded = []
    monkeypatch.setattr(
        FrameDecoder, "advance", lambda decoder, advance=FrameDecoder.advance: decoded.append(1) or advance(decoder)
    )
    once.seek(38)
    assert len(decoded) <= 4
    once.seek(39)
    assert len(decoded) <= 5


def test_a_rate_that_varies_is_followed(tmp_path):
    times = [0, 40, 80, 500, 510, 520, 1500, 1600]
    path = write(tmp_path / "a.mkv", times=times, pictures=[grey(number) for number in range(8)])
    film = open_video(str(path))
    due = {0: 0, 0.079: 1, 0.499: 2, 0.5: 3, 0.515: 4, 1.0: 5, 1.499: 5, 1.55: 6, 1.6: 7, 1.82: 7, 1.83: 0}
    assert {at: number_of(film.frame_at(at)) for at in due} == due
    assert [film.seek(number).seconds for number in range(8)] == pytest.approx([time / 1000 for time in times])
    assert film.rate == pytest.approx(7 / 1.6)


def test_a_film_starts_at_nought_whatever_its_file_says(tmp_path):
    path = write(tmp_path / "a.mkv", times=[7000 + 40 * k for k in range(10)], pictures=list(map(grey, range(10))))
    film = open_video(str(path))
    assert [number_of(film.frame_at(at)) for at in (0, 0.05, 0.36)] == [0, 1, 9]
    assert film.seek(5).seconds == pytest.approx(0.2)


def test_a_film_of_one_picture(tmp_path):
    film = open_video(str(write(tmp_path / "a.mkv", pictures=[grey(9)])))
    assert film.frames == 1
    assert [
        number_of(frame) for frame in (film.frame_at(0), film.frame_at(7.5), film.step(), film.step(), film.seek(0))
    ] == [9] * 5


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_film_held_sideways_stands_upright(tmp_path, turn):
    """The matrix of a phone's file: `turn` degrees clockwise."""
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:24, :32] = 255  # the upper left
    path = write(tmp_path / "a.mp4", pictures=[stored] * 3)
    unit = 1 << 16
    a, b = {0: (unit, 0), 90: (0, unit), 180: (-unit, 0), 270: (0, -unit)}[turn]
    rows = np.array([a, b, 0, -b, a, 0, 0, 0, 1 << 30], ">i4").tobytes()
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 44
    content[start : start + 36] = rows
    path.write_bytes(content)
    film = open_video(str(path))
    expected = np.rot90(stored, -turn // 90)
    assert film.size == expected.shape[1::-1]
    assert np.abs(film.step().picture.astype(int) - expected).mean() < 8


@pytest.mark.parametrize("size", [(48, 64), (720, 1280)])
def test_colours_are_those_of_the_picture(tmp_path, size):
    """Without a colour matrix, large videos are BT.709 and small ones BT.601."""
    colours = np.array([(200, 40, 40), (40, 180, 60), (50, 60, 200), (230, 220, 40)], np.uint8)
    picture = np.repeat(np.repeat(colours.reshape(2, 2, 3), size[0] // 2, 0), size[1] // 2, 1)
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"crf": "8", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture, "rgb24")
        matrix = "ITU709" if size[0] >= 720 else "ITU601"
        stored = frame.reformat(format="yuv420p", dst_colorspace=matrix)
        stored.colorspace = 2
        file.mux(stream.encode(stored))
        file.mux(stream.encode())
    picture = open_video(str(path)).step().picture
    quarters = picture[size[0] // 4 :: size[0] // 2, size[1] // 4 :: size[1] // 2].reshape(4, 3)
    assert np.abs(quarters.astype(int) - colours).max() <= 6


def test_a_damaged_frame_is_left_out(tmp_path):
    path = write(tmp_path / "a.mov", "png", pictures=list(map(grey, range(8))))
    with av.open(str(path)) as file:
        places = [packet.pos for packet in file.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    content[places[3] : places[3] + 30] = bytes(30)
    path.write_bytes(content)
    film = open_video(str(path))
    assert [number_of(film.step()) for _ in range(8)] == [0, 1, 2, 4, 4, 5, 6, 7]
    assert (film.frames, number_of(film.seek(3)), number_of(film.seek(2))) == (8, 4, 2)


def test_a_damaged_start_and_end_are_left_out(tmp_path):
    path = write(tmp_path / "a.mov", "png", pictures=list(map(grey, range(4))))
    with av.open(str(path)) as file:
        places = [packet.pos for packet in file.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for place in (places[0], places[3]):
        content[place : place + 30] = bytes(30)
    path.write_bytes(content)
    film = open_video(str(path))
    assert [number_of(film.step()) for _ in range(6)] == [1, 1, 2, 2, 1, 1]


def test_threads_may_ask_at_once(once):
    wrong, orders = [], [np.random.default_rng(seed).permutation(COUNT).tolist() for seed in range(3)]

    def ask(order: list[int]) -> None:
        wrong.extend(number for number in order if number_of(once.seek(number)) != number)

    threads = [threading.Thread(target=ask, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_closed_film_says_so(folder):
    film = open_video(str(write(folder / "closed.mkv")))
    film.close()
    film.close()
    with pytest.raises(InputError, match="is closed"):
        film.frame_at(1.0)


def test_a_film_that_is_taken_away_is_told(folder):
    """A webm can only go back by being opened again."""
    path = write(folder / "away.webm", *KINDS["a.webm"])
    film = open_video(str(path))
    film.seek(30)
    path.unlink()
    assert number_of(film.seek(31)) == 31
    film._decoder._keys = [0]
    film._decoder._seek = lambda stamp: None
    with pytest.raises(InputError, match="away.webm: not a video file"):
        film.seek(3)
    assert number_of(film.seek(33)) == 33


def test_a_film_may_have_an_odd_name(tmp_path):
    path = write(tmp_path / "50% of: étude #1.mkv", pictures=[grey(3)] * 2)
    assert number_of(open_video(str(path)).step()) == 3


# what is no film


def test_what_is_no_film_is_told(tmp_path):
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "empty.mp4").write_bytes(b"")
    refused(tmp_path / "missing.mp4", "missing.mp4", "no such file", "camera:0")
    refused(tmp_path, "it is a folder; a file is needed")
    refused(tmp_path / ("x" * 300), "name too long")
    refused(tmp_path / "noise.mp4", "noise.mp4", "not a video file")
    refused(tmp_path / "empty.mp4", "empty.mp4", "not a video file")
    refused("http://127.0.0.1:9/film.mp4", "no such file")


def test_a_film_that_is_cut_off_is_told_or_ends_early(tmp_path):
    path = write(tmp_path / "a.mp4", *KINDS["a.mp4"])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, "not a video file, or a damaged one")
    path = write(tmp_path / "a.mkv", *KINDS["a.mkv"])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 4 // 5])
    film = open_video(str(path))
    assert 5 < film.frames < COUNT
    assert number_of(film.seek(film.frames - 3)) == film.frames - 3


def test_a_file_without_pictures_is_told(tmp_path):
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        sound.rate = 8000
        file.mux(stream.encode(sound))
    refused(path, "a.wav", "no video stream")


def test_the_cover_of_a_song_is_no_film(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("png", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "rgb24"
        stream.disposition = av.stream.Disposition.attached_pic
        file.mux(stream.encode(av.VideoFrame.from_ndarray(grey(3), "rgb24")))
    refused(path, "no video stream")


@pytest.mark.parametrize(("kind", "phrase"), [("mkv", "End of file"), ("mp4", "no video stream")])
def test_a_film_without_frames_is_told(tmp_path, kind, phrase):
    path = tmp_path / f"a.{kind}"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        file.start_encoding()
    refused(path, path.name, phrase)


def test_frames_without_times_are_told(tmp_path):
    refused(write(tmp_path / "a.h264"), "a.h264", "no frame has a timestamp")


def test_a_film_of_which_nothing_can_be_decoded_is_told(tmp_path):
    path = write(tmp_path / "a.mov", "png", pictures=list(map(grey, range(3))))
    with av.open(str(path)) as file:
        places = [packet.pos for packet in file.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for place in places:
        content[place : place + 30] = bytes(30)
    path.write_bytes(content)
    refused(path, "a.mov", "no frame of it can be decoded")


def test_a_playlist_reaches_nowhere_else(tmp_path):
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/film.ts\n#EXT-X-ENDLIST\n")
    refused(path, "list.m3u8")


def test_without_pyav_it_says_what_to_install(folder, monkeypatch):
    path = write(folder / "any.mkv")
    monkeypatch.setitem(sys.modules, "av", None)
    refused(path, "PyAV", "pip install av")
    refused("camera:0", "PyAV", "pip install av")


# cameras


class Device:
    """A fake camera that gets frames and errors from the test."""

    def __init__(self) -> None:
        self.streams, self.closed = self, False
        self.video = [type("Stream", (), {"average_rate": Fraction(30)})]
        self._coming = queue.Queue()
        self._coming.put(0)

    def see(self, *numbers) -> None:
        """Numbers of frames, an error to break, or None to end; returns when the camera has done with them."""
        for number in numbers:
            self._coming.put(number)
        self._coming.join()

    def decode(self, video):
        while True:
            found = self._coming.get()
            try:
                if found is None:
                    return
                if isinstance(found, Exception):
                    raise found
                yield av.VideoFrame.from_ndarray(grey(found), "rgb24")
            finally:
                self._coming.task_done()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def device():
    return Device()


def test_a_camera_keeps_only_the_newest_frame(device):
    watched = Camera("camera:0", device)
    assert (watched.size, watched.rate, watched.frames) == (SIZE, 30.0, 0)
    assert number_of(watched.frame_at(0.0)) == 0
    device.see(1, 2, 3)
    assert (number_of(frame := watched.frame_at(0.0)), frame.number) == (3, 3)
    device.see(7, 8, 9)
    assert (number_of(frame := watched.step()), frame.number) == (9, 6)
    device.see(None)


def test_a_step_waits_for_a_frame_that_is_yet_to_come(device):
    watched = Camera("camera:0", device)
    later = threading.Timer(0.05, device.see, (5, 6))
    later.start()
    frame = watched.step(2)
    assert (number_of(frame), frame.number) == (6, 2)
    assert frame.seconds >= 0
    assert watched.frame_at(99.0) is frame
    later.join()
    device.see(None)


def test_a_camera_has_no_past(device):
    watched = Camera("camera:0", device)
    with pytest.raises(InputError, match="camera:0: a camera has no frame 3"):
        watched.seek(3)
    device.see(None)


@pytest.mark.parametrize(("end", "phrase"), [(None, "has ended"), (OSError("unplugged"), "is gone .unplugged")])
def test_a_camera_that_ends_is_told(device, end, phrase):
    watched = Camera("camera:0", device)
    device.see(end)
    watched._thread.join(10)
    for call in (watched.frame_at, watched.step):
        with pytest.raises(InputError, match=f"camera:0: .*{phrase}"):
            call(1)
    assert device.closed


def test_a_closed_camera_lets_the_device_go(device):
    watched = Camera("camera:0", device)
    closing = threading.Thread(target=watched.close)
    closing.start()
    device.see(1)
    closing.join(10)
    assert device.closed and not watched._thread.is_alive()
    with pytest.raises(InputError, match="closed"):
        watched.frame_at(0)


def test_a_camera_that_sends_nothing_is_told(device, monkeypatch):
    watched = Camera("camera:0", device)
    monkeypatch.setattr(camera, "TIMEOUT_SECONDS", 0.05)
    with pytest.raises(InputError, match="no picture for"):
        watched.step()
    device.see(None)


def test_a_camera_that_never_sends_anything_is_told(monkeypatch):
    device = Device()
    device._coming.get()
    monkeypatch.setattr(camera, "TIMEOUT_SECONDS", 0.05)
    with pytest.raises(InputError, match="camera:0: no picture for"):
        Camera("camera:0", device)
    device._coming.put(1)  # what comes late ends the thread
    for thread in [each for each in threading.enumerate() if each.name == "camera:0"]:
        thread.join(10)
    assert device.closed


def test_a_camera_that_is_not_there_is_told():
    refused("camera:97", "camera:97", "can't be opened", "there ")
    refused("camera:/dev/null", "can't be opened")


def test_a_live_source_of_ffmpeg_is_watched():
    """The test card, at the pace of a camera."""
    live = av.open("testsrc=size=64x48:rate=50,realtime", format="lavfi")
    watched = Camera("camera:card", live)
    first = watched.frame_at(0)
    second = watched.step(3)
    assert second.number >= first.number + 3
    assert watched.size == (64, 48) and not np.array_equal(first.picture, np.zeros_like(first.picture))
    watched.close()
    assert not watched._thread.is_alive()
