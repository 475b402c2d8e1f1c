"""Debian's ffmpeg, which we haven't written films with, reads them as we meant them."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from innerwalk.scenes.film_files.spherical_boxes import mark_spherical
from innerwalk.scenes.film_files.video import write_video

pytest.importorskip("av", reason="NOT RUN: needs PyAV")
if not shutil.which("ffprobe"):
    pytest.skip("NOT RUN: needs Debian's ffmpeg (apt install ffmpeg)", allow_module_level=True)

PATCHES = np.array([(200, 30, 40), (20, 180, 60), (30, 50, 220), (128, 128, 128), (250, 240, 20), (9, 12, 16)])
COUNT, SIZE = 25, (192, 64)
TAGS = {"color_range": "tv", "color_space": "bt709", "color_transfer": "bt709", "color_primaries": "bt709"}


def frames():
    for number in range(COUNT):
        frame = np.full((64, 192, 4), 255, np.uint8)
        frame[:, :, :3] = np.roll(np.repeat(PATCHES, 32, 0), 32 * number, 0)
        yield frame


def stream_of(path):
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", path]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"][0]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", ("h264", "High")), ("a.mov", ("prores", "4444")), ("a.webm", ("vp9", "Profile 0"))]
)
def test_count_size_rate_tags_and_colours(tmp_path, name, codec):
    path = write_video(frames(), tmp_path / name, SIZE, 24)
    stream = stream_of(path)
    assert (stream["codec_name"], stream["profile"]) == codec
    assert (int(stream["nb_read_frames"]), stream["width"], stream["height"]) == (COUNT, *SIZE)
    assert stream["r_frame_rate"] == "24/1" and {key: stream.get(key) for key in TAGS} == TAGS
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    decoded = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)
    pictures = decoded.reshape(COUNT, 64, 192, 3)[:, 32, 16::32].astype(int)
    for picture, drawn in zip(pictures, frames(), strict=True):
        assert np.abs(picture - drawn[32, 16::32, :3]).max() <= 3


def test_the_sphere_is_found(tmp_path):
    path = write_video(frames(), tmp_path / "a.mp4", SIZE, 24)
    path.write_bytes(mark_spherical(path.read_bytes()))
    stream = stream_of(path)
    assert int(stream["nb_read_frames"]) == COUNT
    found = {data["side_data_type"]: data for data in stream["side_data_list"]}
    assert found["Stereo 3D"]["type"] == "top and bottom"
    assert found["Spherical Mapping"]["projection"] == "equirectangular"
