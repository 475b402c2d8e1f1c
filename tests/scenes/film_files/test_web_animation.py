"""Animations for pages repeat, last as long as the film, and show its frames."""

import numpy as np
import pytest
from PIL import Image

from innerwalk.scenes.film_files.web_animation import frame_times, write_web_animation
from innerwalk.torch_bridge.recording.errors import SceneError


def frames(count):
    for number in range(count):
        frame = np.full((32, 48, 4), 255, np.uint8)
        frame[:, :24, :3], frame[:, 24:, :3] = (200, 30, 40), (10, 10 * number, 90)
        yield frame


@pytest.mark.parametrize(("name", "tick", "off"), [("a.webp", 1, 4), ("a.gif", 10, 0)])
def test_animations_show_each_frame_as_long_as_it_lasts(tmp_path, name, tick, off):
    path = write_web_animation(frames(12), tmp_path / name, (48, 32), 12, 24)
    with Image.open(path) as animation:
        assert (animation.n_frames, animation.size, animation.info["loop"]) == (12, (48, 32), 0)
        lasting = 0
        for number, drawn in enumerate(frames(12)):
            animation.seek(number)
            animation.load()
            lasting += animation.info["duration"]
            found = np.asarray(animation.convert("RGB")).astype(int)
            middles = np.abs(found[16, [12, 36]] - drawn[16, [12, 36], :3])
            assert middles.max() <= off, number
    assert lasting == 500


@pytest.mark.parametrize("rate", [24, 25, 29.97, 50])
def test_times_never_drift(rate):
    times = np.cumsum(frame_times(500, rate, 10))
    assert np.abs(times - np.arange(1, 501) * 1000 / rate).max() <= 5.001


def test_an_animation_must_fit_into_memory(tmp_path):
    for name, count, kind in (("a.gif", 200, "GIF"), ("a.webp", 600, "WEBP")):
        with pytest.raises(SceneError, match=f"too much for {kind}; take .mp4"):
            write_web_animation(frames(1), tmp_path / name, (1920, 1080), count, 24)
    with pytest.raises(SceneError, match=r"slow a GIF of 60 frames a second down; take rate = 50, or \.webp"):
        write_web_animation(frames(1), tmp_path / "a.gif", (48, 32), 1, 60)
    with pytest.raises(SceneError, match="without frames"):
        write_web_animation(iter(()), tmp_path / "a.webp", (48, 32), 0, 24)
    assert not list(tmp_path.iterdir())
