"""A folder of frames: what is there is whole, of this film, and has the pixels that were rendered."""

import io
import os
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from innerwalk.scenes.film_files.frame_folder import FrameFacts, FrameFolder, encode_frame, read_facts
from innerwalk.torch_bridge.recording.errors import SceneError

SIZE = (24, 16)
FACTS = FrameFacts("film", "driver")


@pytest.fixture
def pixels():
    return np.random.default_rng(3).integers(0, 256, (16, 24, 4)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    return FrameFolder(tmp_path / "frames", SIZE, "film")


def test_frames_come_back_as_they_were(folder, pixels):
    folder.write(7, encode_frame(pixels, FACTS))
    assert np.array_equal(folder.pixels(7), pixels)
    assert folder.renderers(range(1, 9)) == {7: "driver"}
    assert [path.name for path in folder.path.iterdir()] == ["0007.png"]


def test_every_damaged_byte_is_noticed(pixels):
    png = encode_frame(pixels, FACTS)
    assert read_facts(png, SIZE) == FACTS
    for place in range(8, len(png)):
        damaged = bytearray(png)
        damaged[place] ^= 1
        found = read_facts(bytes(damaged), SIZE)
        assert found is None, place
    assert not any(read_facts(png[:size], SIZE) for size in range(0, len(png) - 4, 7))


def test_a_frame_of_another_film_or_size_is_not_there(folder, pixels, tmp_path):
    folder.write(1, encode_frame(pixels, FACTS))
    assert FrameFolder(folder.path, SIZE, "another").renderers([1]) == {}
    assert FrameFolder(folder.path, (16, 24), "film").renderers([1]) == {}
    with pytest.raises(SceneError, match="frame 2"):
        folder.write(2, encode_frame(pixels, FrameFacts("another", "driver")))
    assert not folder.file(2).exists()


def test_any_file_may_lie_in_the_folder(folder, pixels):
    folder.path.mkdir()
    os.mkfifo(folder.file(1))
    folder.file(2).mkdir()
    folder.file(3).symlink_to("/dev/zero")
    folder.file(4).write_bytes(b"%!PS")
    texts, bomb = PngImagePlugin.PngInfo(), io.BytesIO()
    texts.add_itxt("innerwalk", "[" * 200_000)
    Image.fromarray(pixels).save(bomb, "PNG", pnginfo=texts)
    folder.file(5).write_bytes(bomb.getvalue())
    packed = b"innerwalk\0\0" + zlib.compress(b" " * (80 << 20))
    png = encode_frame(pixels, FACTS)
    chunk = len(packed).to_bytes(4, "big") + b"zTXt" + packed + zlib.crc32(b"zTXt" + packed).to_bytes(4, "big")
    folder.file(6).write_bytes(png[:33] + chunk + png[33:])
    assert folder.renderers(range(1, 7)) == {6: "driver"}
    for frame in range(1, 7):
        with pytest.raises(SceneError, match=f"000{frame}.png"):
            folder.pixels(frame)
