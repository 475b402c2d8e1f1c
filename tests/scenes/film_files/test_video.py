"""Videos have the right count, size, rate and tags, and the colours of their frames."""

import numpy as np
import pytest

from innerwalk.scenes.film_files.spherical_boxes import boxes, mark_spherical
from innerwalk.scenes.film_files.video import write_video
from innerwalk.torch_bridge.recording.errors import SceneError

av = pytest.importorskip("av", reason="needs PyAV")

PATCHES = [(200, 30, 40), (20, 180, 60), (30, 50, 220), (128, 128, 128), (250, 240, 20), (9, 12, 16)]
SIZE = (96, 64)
MOST_OFF = 3
"""Of 255, on a flat patch."""


def frames(count):
    """(64, 96, 4) uint8: columns of PATCHES that move on by one each frame; the lower half lets half through."""
    for number in range(count):
        frame = np.full((64, 96, 4), 255, np.uint8)
        for k, colour in enumerate(PATCHES):
            frame[:, 16 * k : 16 * k + 16, :3] = colour
        frame[32:, :, 3] = 128
        frame[:, :, :3] = np.roll(frame[:, :, :3], 16 * number, 1)
        yield frame


def patches(picture):
    """(2, 6, C) of the middles of the patches of both halves."""
    return picture[[16, 48]][:, 8::16].astype(int)


@pytest.mark.parametrize("rate", [24, 30000 / 1001])
def test_h264_is_what_everybody_plays(tmp_path, rate):
    path = write_video(frames(25), tmp_path / "a.mp4", SIZE, rate)
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        found = list(video.decode(stream))
        context = stream.codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert float(stream.average_rate) == pytest.approx(rate) and (stream.width, stream.height) == SIZE
    assert len(found) == 25
    assert [number for number, frame in enumerate(found) if frame.key_frame] == list(range(0, 25, round(rate / 2)))
    for frame, drawn in zip(found, frames(25), strict=True):
        assert frame.colorspace == frame.color_range == 1
        shown = drawn[..., :3] * (drawn[..., 3:] / 255)
        assert np.abs(patches(frame.to_ndarray(format="rgb24")) - patches(np.rint(shown))).max() <= MOST_OFF
    content = path.read_bytes()
    kinds = [box.kind for box in boxes(content, 0, len(content))]
    assert kinds.index(b"moov") < kinds.index(b"mdat")


@pytest.mark.parametrize(("name", "codec", "off"), [("a.mov", ("prores", "4444"), 1), ("a.mkv", ("ffv1", None), 0)])
def test_what_is_transparent_is_kept(tmp_path, name, codec, off):
    path = write_video(frames(5), tmp_path / name, SIZE, 24)
    with av.open(str(path)) as video:
        found = [frame.to_ndarray(format="rgba") for frame in video.decode(video=0)]
        context = video.streams.video[0].codec_context
        assert (context.name, context.profile) == codec
        assert (context.color_primaries, context.color_trc) == (1, 1)
    assert len(found) == 5
    for frame, drawn in zip(found, frames(5), strict=True):
        assert np.abs(patches(frame) - patches(drawn)).max() <= off


def test_a_page_gets_vp9(tmp_path):
    path = write_video(frames(5), tmp_path / "a.webm", SIZE, 24)
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        found = [frame.to_ndarray(format="rgb24") for frame in video.decode(stream)]
        context = stream.codec_context
        assert context.colorspace == context.color_primaries == context.color_trc == context.color_range == 1
    for frame, drawn in zip(found, frames(5), strict=True):
        assert np.abs(patches(frame)[0] - patches(drawn[..., :3])[0]).max() <= MOST_OFF


def test_what_fails_leaves_nothing(tmp_path):
    def broken():
        yield from frames(3)
        raise SceneError("the frames end early")

    with pytest.raises(SceneError, match="end early"):
        write_video(broken(), tmp_path / "a.mp4", SIZE, 24)
    with pytest.raises(SceneError, match="both sides must be even"):
        write_video(frames(1), tmp_path / "a.mp4", (95, 64), 24)
    assert not list(tmp_path.iterdir())


def test_players_are_told_of_the_sphere(tmp_path):
    path = write_video(frames(9), tmp_path / "a.mp4", SIZE, 24)
    plain = path.read_bytes()
    marked = mark_spherical(plain)
    (tmp_path / "b.mp4").write_bytes(marked)
    with av.open(str(path)) as first, av.open(str(tmp_path / "b.mp4")) as second:
        pairs = zip(first.decode(video=0), second.decode(video=0), strict=True)
        same = [np.array_equal(one.to_ndarray(), other.to_ndarray()) for one, other in pairs]
    assert same == [True] * 9
    at = marked.index(b"st3d") - 4
    assert marked[at : at + 13] == b"\x00\x00\x00\x0dst3d\0\0\0\0\x01"
    assert marked[at + 17 : at + 21] == b"sv3d" and b"equi" + bytes(20) in marked
    for content in (b"", plain[:200], b"\0\0\0\x08free", plain.replace(b"avc1", b"hvc1")):
        with pytest.raises(ValueError, match="MP4|longer"):
            mark_spherical(content)
