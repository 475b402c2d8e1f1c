"""Frames: values and arrays as one body, and everything that is no frame."""

import io

import numpy as np
import pytest

from innerwalk.torch_bridge.client import frames
from innerwalk.torch_bridge.recording.errors import BridgeError

ARRAYS = {
    "x": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "é|peak": np.array([np.nan, np.inf], np.float32),
    "picture": np.arange(6, dtype=np.uint8).reshape(1, 2, 3), "empty": np.zeros((0, 3), np.int64),
}  # fmt: skip
VALUES = {"text": "a \U0001f600 ü", "list": [1, 2.5, None, True], "nested": {"a": {"b": []}}}


def body(*frame) -> bytes:
    return b"".join(map(bytes, frames.encode(*frame)))


def test_there_and_back_one_after_another():
    stream = io.BytesIO(body(VALUES, ARRAYS) + body({}, {}) + body({"last": 1}, {"x": np.zeros(1)}))
    values, arrays = frames.read(stream, "here")
    assert values == VALUES and arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and np.array_equal(arrays[name], array, equal_nan=True)
    assert frames.read(stream, "here") == ({}, {})
    assert frames.read(stream, "here")[0] == {"last": 1}
    assert frames.read(stream, "here") is None


class Drip(io.RawIOBase):
    """A byte at a time."""

    def __init__(self, content: bytes) -> None:
        self.content = io.BytesIO(content)

    def readinto(self, buffer):
        return self.content.readinto(buffer[:1])


def test_bytes_may_come_one_by_one():
    assert frames.read(Drip(body(VALUES, ARRAYS)), "here")[0] == VALUES


def test_contiguous_arrays_are_not_copied():
    array = np.arange(1000.0)
    pieces = frames.encode({}, {"x": array})
    assert any(np.shares_memory(np.frombuffer(piece, np.uint8), array) for piece in pieces[1:])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\x01\x02\x03", "a frame of 197,121 bytes"),
        ((1 << 40).to_bytes(8, "little"), "a frame of 1,099,511,627,776 bytes; at most"),
        ((100).to_bytes(8, "little") + b"x" * 40, "ended in the middle of a frame"),
        ((16).to_bytes(8, "little") + b"x" * 16, "not a frame of innerwalk"),
        (body({}, {})[:-1], "ended in the middle"),
    ],
)
def test_what_is_no_frame(content, line):
    with pytest.raises(BridgeError, match=f"^here: .*{line}"):
        frames.read(io.BytesIO(content), "here")


def test_every_cut_is_noticed():
    whole = body(VALUES, ARRAYS)
    for size in range(1, len(whole)):
        with pytest.raises(BridgeError):
            frames.read(io.BytesIO(whole[:size]), "here")


def test_every_changed_byte_is_a_frame_or_an_error():
    whole = np.frombuffer(body({"a": 1}, {"x": np.zeros(3, np.float32)}), np.uint8)
    for place in range(8, len(whole)):
        for value in (0, 0x22, 0x5B, 0xFF):
            changed = whole.copy()
            changed[place] = value
            try:
                frames.read(io.BytesIO(changed.tobytes()), "here")
            except BridgeError as error:
                assert "\n" not in str(error)


def test_values_must_be_an_object():
    from innerwalk.torch_bridge.recording import safetensors

    for text in ("[1]", "3", "{", "[" * 100_000):
        content = np.frombuffer(b"".join(safetensors.encode({}, {"json": text})), np.uint8)
        with pytest.raises(BridgeError, match="not a frame of innerwalk"):
            frames.parse(content, "here")


def test_a_body_without_values_has_none():
    from innerwalk.torch_bridge.recording import safetensors

    assert frames.parse(np.frombuffer(b"".join(safetensors.encode({})), np.uint8), "here") == ({}, {})
