"""Frames: the unit of the bridge protocol, JSON values and named arrays in one safetensors body.

A frame is a length (8 bytes, little endian) and that many bytes in the safetensors layout, with the values as JSON in
its metadata. A request has one frame, an answer any number of them. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..recording import safetensors
from ..recording.errors import BridgeError, InputError, RecordingError
from ..recording.files import parse_json

Frame = tuple[dict[str, Any], dict[str, np.ndarray]]
"""The values and the arrays of a frame."""
PROTOCOL = 2
"""Version of the protocol; raised by changes that an older side would misunderstand."""
MAX_FRAME_BYTES = 4 << 30
"""Largest frame of an answer that is read."""
MAX_REQUEST_BYTES = 512 << 20
"""Largest request body; an image of 8,000 × 8,000 pixels with four channels takes 256 MB."""
CONTENT_TYPE = "application/x-innerwalk-frames"


class Stream(Protocol):
    """A binary stream to read from."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill some of the buffer and return the number of bytes, 0 at the end."""


def dump_json(values: Mapping[str, Any]) -> str:
    """The values as JSON; numbers of NumPy count as Python's. Raises InputError for what JSON doesn't have."""
    try:
        return json.dumps(values, default=_python_number)
    except TypeError as error:
        raise InputError(f"a request takes texts, numbers, lists and dicts ({error})") from None


def _python_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"not {type(value).__name__}")


def encode(values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[memoryview | bytes]:
    """The pieces of one frame; arrays, of any shape, are not copied if they are contiguous."""
    pieces = list(safetensors.encode(arrays, {"json": dump_json(values)}))
    return [sum(map(len, pieces)).to_bytes(8, "little"), *pieces]


def read(stream: Stream, where: str, max_bytes: int = MAX_FRAME_BYTES) -> Frame | None:
    """The next frame, its arrays views into one new buffer; None at the end. Raises BridgeError."""
    head = np.empty(8, np.uint8)
    count = fill(stream, head.data)
    if not count:
        return None
    size = int.from_bytes(head.tobytes(), "little")
    if count < 8 or size > max_bytes:
        raise BridgeError(f"{where}: a frame of {size:,} bytes; at most {max_bytes:,} are read")
    body = np.empty(size, np.uint8)
    if fill(stream, body.data) < size:
        raise BridgeError(f"{where}: ended in the middle of a frame")
    return parse(body, where)


def parse(body: np.ndarray, where: str) -> Frame:
    """Values and arrays of a frame without its length, (n,) uint8, with all checks. Raises BridgeError."""
    try:
        arrays, metadata = safetensors.decode(body, where)
        values = parse_json(metadata.get("json", "{}"))
    except (RecordingError, ValueError) as error:
        raise BridgeError(f"{where}: not a frame of innerwalk ({error})") from None
    if not isinstance(values, dict):
        raise BridgeError(f"{where}: not a frame of innerwalk (its values are not an object)")
    return values, arrays


def fill(stream: Stream, buffer: memoryview) -> int:
    """Read until the buffer is full or the stream ends; returns the number of bytes read."""
    filled = 0
    while filled < len(buffer):
        count = stream.readinto(buffer[filled:])
        if not count:
            break
        filled += count
    return filled
