"""Blender's own FFmpeg writes a video with the frames' count, size, rate and colours."""

import importlib.util

import numpy as np
import pytest
from PIL import Image

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.scenes.film_files.blender_video import write_blender_video  # noqa: E402

PATCHES = [(200, 30, 40), (20, 180, 60), (30, 50, 220), (128, 128, 128)]


def test_a_video_without_pyav_has_the_frames(empty_scene, tmp_path):
    files = []
    for number in range(13):
        picture = np.zeros((64, 128, 4), np.uint8)
        for k in range(4):
            picture[:, 32 * k : 32 * k + 32] = (*PATCHES[(k + number) % 4], 255)
        files.append(tmp_path / f"{number:04d}.png")
        Image.fromarray(picture).save(files[-1])
    before = {*bpy.data.scenes}
    path = write_blender_video(files, tmp_path / "a.mp4", (128, 64), 24)
    assert {*bpy.data.scenes} == before
    clip = bpy.data.movieclips.load(str(path))
    assert (clip.frame_duration, clip.fps, tuple(clip.size)) == (13, pytest.approx(24, abs=0.01), (128, 64))
    if importlib.util.find_spec("av"):
        import av

        with av.open(str(path)) as video:
            found = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
            assert video.streams.video[0].codec_context.colorspace == 1
        for number, picture in enumerate(found):
            drawn = [PATCHES[(k + number) % 4] for k in range(4)]
            assert np.abs(picture[32, 16::32].astype(int) - drawn).max() <= 3, number
