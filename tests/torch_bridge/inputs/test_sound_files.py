"""Sounds: every depth of PCM against known samples, the layout for a network, and what goes wrong."""

import struct
import sys
import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from innerwalk.tests.support.sounds import RATE, encode, tone
from innerwalk.torch_bridge.inputs import sound_files
from innerwalk.torch_bridge.inputs.sound_files import Sound, arrange_sound, read_sound
from innerwalk.torch_bridge.recording.errors import InputError

SHARES = np.array([0, 0.5, -0.5, -1, 0.25])


def write(path, values: np.ndarray, width: int, rate: int = 8000) -> None:
    """values: (samples, channels) in -1..1, exact in 8 bits."""
    numbers = [round(value * 2 ** (8 * width - 1)) for value in values.reshape(-1).tolist()]
    packed = b"".join(
        bytes([number + 128]) if width == 1 else number.to_bytes(width, "little", signed=True) for number in numbers
    )
    with wave.open(str(path), "wb") as sound:
        sound.setparams((values.shape[1], width, rate, 0, "NONE", ""))
        sound.writeframes(packed)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_depth_gives_the_same_samples(tmp_path, width):
    write(tmp_path / "s.wav", np.stack([SHARES, -SHARES * 0.5], 1), width)
    sound = read_sound(tmp_path / "s.wav")
    assert sound.values.dtype == np.float32
    assert sound.values.tolist() == [SHARES.tolist(), (-SHARES * 0.5).tolist()]
    assert sound.describe() == f"{8 * width}-bit stereo sound scaled to -1..1, 5 samples at 8,000 Hz"
    assert read_sound(tmp_path / "other.wav", (tmp_path / "s.wav").read_bytes()).values.shape == (2, 5)


def test_the_layout_is_the_networks():
    stereo = Sound(np.array([[1, 0], [0, 0.5]], np.float32), 8000, "16-bit")
    mean = [0.5, 0.25]
    assert arrange_sound(stereo, ())[0].tolist() == arrange_sound(stereo, (99,))[0].tolist() == mean
    assert arrange_sound(stereo, (1, 128))[0].tolist() == [mean]
    assert arrange_sound(stereo, (16, 1))[0].tolist() == [[0.5], [0.25]]
    assert arrange_sound(stereo, (2, 128))[0].tolist() == stereo.values.tolist()
    assert arrange_sound(stereo, ())[1] == ", mean of the channels" and arrange_sound(stereo, (2, 128))[1] == ""
    for shape in ((80, 128), (3, 224, 224)):
        with pytest.raises(InputError, match="a sound of 2 channels doesn't fit inputs such as"):
            arrange_sound(stereo, shape)


def test_sounds_that_arent(tmp_path):
    write(tmp_path / "whole.wav", SHARES[:, None], 2)
    whole = (tmp_path / "whole.wav").read_bytes()
    write(tmp_path / "none.wav", SHARES[:0, None], 2)
    floats = whole.replace(struct.pack("<HH", 1, 1), struct.pack("<HH", 3, 1), 1)
    for name, content, line in (
        ("cut", whole[:-3], "cut off"),
        ("head", whole[:20], "not a .wav file of PCM, or cut off"),
        ("text", b"not a sound", "not a .wav file of PCM"),
        ("empty", b"", "not a .wav file of PCM"),
        ("floats", floats, "not a .wav file of PCM, or cut off (unknown format: 3)"),
        ("silent", (tmp_path / "none.wav").read_bytes(), "it has no samples"),
    ):
        (tmp_path / f"{name}.wav").write_bytes(content)
        with pytest.raises(InputError) as error:
            read_sound(tmp_path / f"{name}.wav")
        assert line in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(InputError, match="no such file"):
        read_sound(tmp_path / "nowhere.wav")


def test_a_file_of_millions_of_empty_parts_is_refused_at_once():
    body = b"WAVE" + b"junk\0\0\0\0" * 100_000
    with pytest.raises(InputError, match="more than 1,000 parts before its samples"):
        read_sound(Path("parts.wav"), b"RIFF" + struct.pack("<I", len(body)) + body)


def test_absurd_headers_end_in_one_line(tmp_path):
    write(tmp_path / "whole.wav", SHARES[:, None], 2)
    whole = (tmp_path / "whole.wav").read_bytes()
    for place, size in ((4, 4), (16, 4), (22, 2), (24, 4), (32, 2), (34, 2), (40, 4)):
        for value in (0, 2 ** (8 * size) - 1):
            mutant = whole[:place] + value.to_bytes(size, "little") + whole[place + size :]
            try:
                sound = read_sound(Path("odd.wav"), mutant)
            except InputError as error:
                assert "\n" not in str(error)
            else:
                assert sound.values.size == 5


needs_pyav = pytest.mark.skipif(find_spec("av") is None, reason="needs PyAV (av)")
CODINGS = {"libmp3lame": "mp3float", "libopus": "opus"}
"""Names of decoders that aren't those of the encoders."""


@needs_pyav
@pytest.mark.parametrize(
    ("ending", "codec", "layout", "error"),
    [
        (".flac", "flac", "s16", 2e-5),
        (".aiff", "pcm_s16be", "s16", 2e-5),
        (".au", "pcm_s16be", "s16", 2e-5),
        (".mp3", "libmp3lame", "fltp", 0.1),
        (".opus", "libopus", "flt", 0.1),
        (".m4a", "aac", "fltp", 0.1),
    ],
)
def test_other_sounds_are_those_that_were_encoded(tmp_path, ending, codec, layout, error):
    """Both channels, at their own rate; encoders may add some silence at the end."""
    content = encode(ending, codec, layout)
    sound = read_sound(tmp_path / f"a{ending}", content)
    (tmp_path / f"b{ending}").write_bytes(content)
    assert np.array_equal(read_sound(tmp_path / f"b{ending}").values, sound.values)
    assert (sound.values.dtype, sound.rate, sound.coding) == (np.float32, RATE, CODINGS.get(codec, codec))
    assert 0 <= sound.values.shape[1] - tone().shape[1] < 2048
    assert np.sqrt(np.square(sound.values[:, : tone().shape[1]] - tone()).mean()) < error


@needs_pyav
def test_other_sounds_are_bounded_and_name_no_files(monkeypatch):
    whole = encode(".aiff", "pcm_s16be", "s16")
    for name, content, line in (
        ("list.mp3", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n", "not a .mp3 file, or damaged"),
        ("wrong.flac", whole, "sound wrong.flac: "),
        ("cut.aiff", whole[:-100], "cut off, 3,975 of 4,000 samples"),
        ("head.aiff", whole[:20], "not a .aiff file, or damaged"),
        ("empty.ogg", b"", "not a .ogg file, or damaged"),
    ):
        with pytest.raises(InputError) as error:
            read_sound(Path(name), content)
        assert line in str(error.value) and "\n" not in str(error.value)
    monkeypatch.setattr(sound_files, "MAX_SAMPLES", 7999)
    with pytest.raises(InputError, match="more than 7,999 samples; cut it first"):
        read_sound(Path("long.aiff"), whole)


def test_without_pyav_a_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError) as error:
        read_sound(Path("a.mp3"), b"anything")
    assert str(error.value) == "sound a.mp3: PyAV reads such files: pip install av, or save it as .wav"
